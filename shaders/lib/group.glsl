/* SPDX-License-Identifier: MIT */
/*
 * Sums and maxima over a workgroup, the same bits on every run: each eighth of
 * the lanes' values is joined by one lane, the eighths by all. Every lane must
 * call; all get the result. The workgroup is one-dimensional, a multiple of 8.
 */
shared float joule_group_part[gl_WorkGroupSize.x];
shared float joule_group_eighth[8];

float joule_group_sum(float v)
{
	uint lane = gl_LocalInvocationID.x;
	const uint n = gl_WorkGroupSize.x / 8;

	joule_group_part[lane] = v;
	barrier();
	if (lane < 8) {
		v = joule_group_part[lane * n];
		for (uint i = 1; i < n; i++)
			v += joule_group_part[lane * n + i];
		joule_group_eighth[lane] = v;
	}
	barrier();
	v = joule_group_eighth[0];
	[[unroll]] for (uint i = 1; i < 8; i++)
		v += joule_group_eighth[i];
	return v;
}

/* The larger one; NaN if one is. */
float joule_max(float a, float b)
{
	return isnan(a) || isnan(b) ? a + b : max(a, b);
}

float joule_group_max(float v)
{
	uint lane = gl_LocalInvocationID.x;
	const uint n = gl_WorkGroupSize.x / 8;

	joule_group_part[lane] = v;
	barrier();
	if (lane < 8) {
		v = joule_group_part[lane * n];
		for (uint i = 1; i < n; i++)
			v = joule_max(v, joule_group_part[lane * n + i]);
		joule_group_eighth[lane] = v;
	}
	barrier();
	v = joule_group_eighth[0];
	[[unroll]] for (uint i = 1; i < 8; i++)
		v = joule_max(v, joule_group_eighth[i]);
	return v;
}
