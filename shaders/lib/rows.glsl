/* SPDX-License-Identifier: MIT */
/* The shader side of joule_bind_rows() (ops/walk.h). */

/* x: number along the row, y: row. Both may lie beyond the end. */
uvec2 joule_row_index(uint spill)
{
	uvec2 i = gl_GlobalInvocationID.xy;

	if (gl_NumWorkGroups.z > 1)
		i += uvec2(gl_WorkGroupID.z % spill, gl_WorkGroupID.z / spill) *
		     gl_NumWorkGroups.xy * gl_WorkGroupSize.xy;
	return i;
}
