/* SPDX-License-Identifier: MIT */
/*
 * What every shader starts with. Buffers are addresses in the push-constant
 * block (GL_EXT_buffer_reference), so there are no descriptor sets; workgroup
 * sizes are specialization constants 0 to 2, a shader's own start at 3.
 *
 * Element types: a variant defines T_F32, T_F16 (storage fp16, arithmetic in
 * fp32), T_I32, ... before including this; `T` is then the storage type and
 * `Buf` the reference to an array of it.
 */
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_scalar_block_layout : require
#extension GL_EXT_control_flow_attributes : enable
#extension GL_EXT_shader_explicit_arithmetic_types_int32 : enable

layout(local_size_x_id = 0, local_size_y_id = 1, local_size_z_id = 2) in;

layout(buffer_reference, scalar, buffer_reference_align = 4) buffer BufF32 { float v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 16) buffer BufF32x4 { vec4 v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer BufI32 { int v[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer BufU32 { uint v[]; };
/* int64 index tensors are read by their low word: joule's tensors have < 2^31 elements. */
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer BufI64 { ivec2 v[]; };

#if defined(T_F16)
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#define T float16_t
#define T4 f16vec4
#define T_BYTES 2
#elif defined(T_I8)
#extension GL_EXT_shader_8bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require
#define T int8_t
#define T4 i8vec4
#define T_BYTES 1
#elif defined(T_U8) || defined(T_BOOL)
#extension GL_EXT_shader_8bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require
#define T uint8_t
#define T4 u8vec4
#define T_BYTES 1
#elif defined(T_I32)
#define T int
#define T4 ivec4
#define T_BYTES 4
#elif defined(T_U32)
#define T uint
#define T4 uvec4
#define T_BYTES 4
#else
#define T float
#define T4 vec4
#define T_BYTES 4
#endif

layout(buffer_reference, scalar, buffer_reference_align = T_BYTES) buffer Buf { T v[]; };
#ifdef T4
layout(buffer_reference, scalar, buffer_reference_align = T_BYTES * 4) buffer Buf4 { T4 v[]; };
#endif

/* The invocation's number in a launch made by joule_bind_grid(). */
uint joule_global_index()
{
	return gl_GlobalInvocationID.y * (gl_NumWorkGroups.x * gl_WorkGroupSize.x) +
	       gl_GlobalInvocationID.x;
}
