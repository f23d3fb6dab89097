/* SPDX-License-Identifier: MIT */
/*
 * How to write a fast kernel for lavapipe (subgroups of 8, Mesa 22.3 to 25.0).
 *
 * Its compiler turns a load into one scalar load, broadcast over the lanes,
 * only if the address is "always uniform": made of push constants and
 * arithmetic alone, outside of any branch or loop. Everything else becomes a
 * masked gather, some 10 to 20 times slower. So:
 *
 *   uniform  UNIFORM8() and kin map a uniform index (workgroup, subgroup) onto
 *            such a value through a table iota[i] = i in the push constants
 *            (8 entries: old drivers have 128 bytes for all);
 *   lane8()  eight uniform loads of neighbours, lane i keeping the i-th, fold
 *            into a single 32-byte vector load;
 *   loops    carry [[unroll]] and constant bounds, so that none is left;
 *   branches only after all arithmetic, and push constants are read first:
 *            each of either starts a new block, and LLVM moves arithmetic (not
 *            loads) down into the block that uses it, which spills.
 *
 * Include after lib/common.glsl; push.iota must be there. docs/kernels.md has
 * the measurements behind this.
 */
#extension GL_EXT_buffer_reference2 : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_ballot : require

const uint LANES = 8;

#define UNIFORM8(i)      (push.iota[(i) & 7])
#define UNIFORM64(i)     (UNIFORM8(i) + (UNIFORM8((i) >> 3) << 3))
#define UNIFORM512(i)    (UNIFORM64(i) + (UNIFORM8((i) >> 6) << 6))
#define UNIFORM4096(i)   (UNIFORM512(i) + (UNIFORM8((i) >> 9) << 9))
#define UNIFORM262144(i) (UNIFORM4096(i) + (UNIFORM64((i) >> 12) << 12))

/* mix() with a bool is a select; ?: may become a branch. */
float pick8(float a, float b, float c, float d, float e, float f, float g, float h)
{
	uint lane = gl_SubgroupInvocationID;
	float r = mix(h, g, lane == 6);

	r = mix(r, f, lane == 5);
	r = mix(r, e, lane == 4);
	r = mix(r, d, lane == 3);
	r = mix(r, c, lane == 2);
	r = mix(r, b, lane == 1);
	return mix(r, a, lane == 0);
}

/* Eight neighbours from a uniform address, one for each lane. */
#define LANE8(p) \
	pick8(float((p).v[0]), float((p).v[1]), float((p).v[2]), float((p).v[3]), \
	      float((p).v[4]), float((p).v[5]), float((p).v[6]), float((p).v[7]))

float lane8(uint64_t at)
{
	return LANE8(BufF32(at));
}

#if T_BYTES == 2
/* Chosen as halves: one 16-byte load, then one conversion. */
float lane8t(uint64_t at)
{
	Buf p = Buf(at);
	uint lane = gl_SubgroupInvocationID;
	T r = mix(p.v[7], p.v[6], lane == 6);

	r = mix(r, p.v[5], lane == 5);
	r = mix(r, p.v[4], lane == 4);
	r = mix(r, p.v[3], lane == 3);
	r = mix(r, p.v[2], lane == 2);
	r = mix(r, p.v[1], lane == 1);
	return float(mix(r, p.v[0], lane == 0));
}
#else
float lane8t(uint64_t at)
{
	return LANE8(Buf(at));
}
#endif

/*
 * The same for a shared array; a store of one value by all lanes at a uniform
 * address is a scalar store, and eight of them fold into one vector store.
 */
#define LOAD8(a, i) \
	pick8(a[i], a[(i) + 1], a[(i) + 2], a[(i) + 3], a[(i) + 4], a[(i) + 5], a[(i) + 6], \
	      a[(i) + 7])
#define STORE8(a, i, x) \
	{ \
		a[i] = subgroupBroadcast(x, 0); \
		a[(i) + 1] = subgroupBroadcast(x, 1); \
		a[(i) + 2] = subgroupBroadcast(x, 2); \
		a[(i) + 3] = subgroupBroadcast(x, 3); \
		a[(i) + 4] = subgroupBroadcast(x, 4); \
		a[(i) + 5] = subgroupBroadcast(x, 5); \
		a[(i) + 6] = subgroupBroadcast(x, 6); \
		a[(i) + 7] = subgroupBroadcast(x, 7); \
	}
