/* SPDX-License-Identifier: MIT */
/* The shader side of joule_bind_rows() (ops/walk.h). */

/*
 * x: the first chunk along the row, y: the row; both may lie beyond the end.
 * An invocation's `per` chunks are a workgroup's width apart.
 *
 * lavapipe does loads at one address for all lanes once, if it can see that it
 * is one and if no lane may be switched off. So the row of a workgroup that has
 * but one is a workgroup's number, and kernels clamp their places instead of
 * leaving early; only their stores are under a condition.
 */
uvec2 joule_row_index(uint spill, const uint per)
{
	uint x = gl_WorkGroupID.x, y = gl_WorkGroupID.y;

	if (gl_NumWorkGroups.z > 1) {
		x += gl_WorkGroupID.z % spill * gl_NumWorkGroups.x;
		y += gl_WorkGroupID.z / spill * gl_NumWorkGroups.y;
	}
	x = x * per * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
	if (gl_WorkGroupSize.y > 1)
		y = y * gl_WorkGroupSize.y + gl_LocalInvocationID.y;
	return uvec2(x, y);
}
