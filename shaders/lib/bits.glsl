/* SPDX-License-Identifier: MIT */
/*
 * Elements as bare bits, for kernels that move data without looking at it. A
 * variant defines BYTES (1, 2, 4, 8 or 16). E is the type in memory, U the one
 * in registers: small types are only ever loaded and stored, so that 8- and
 * 16-bit storage is enough and no arithmetic on them is asked for. Units of
 * 16 bytes want 64-bit integers.
 */
#if BYTES == 1
#extension GL_EXT_shader_8bit_storage : require
#define E uint8_t
#define U uint
#elif BYTES == 2
#extension GL_EXT_shader_16bit_storage : require
#define E uint16_t
#define U uint
#elif BYTES == 4
#define E uint
#define U uint
#elif BYTES == 8
#define E uvec2
#define U uvec2
#else
/* Half as many accesses as by 32 bits where each lane's is made on its own. */
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#define E u64vec2
#define U u64vec2
#endif

layout(buffer_reference, scalar, buffer_reference_align = BYTES) buffer BufE { E v[]; };

/* Four elements at a time where an element is 4 bytes or less. */
#if BYTES <= 4
#if BYTES == 4
#define W4 uvec4
uvec4 joule_unpack(uvec4 w) { return w; }
uvec4 joule_pack(uvec4 u) { return u; }
#elif BYTES == 2
#define W4 uvec2
uvec4 joule_unpack(uvec2 w) { return uvec4(w.x & 0xffffu, w.x >> 16, w.y & 0xffffu, w.y >> 16); }
uvec2 joule_pack(uvec4 u) { return uvec2(u.x | u.y << 16, u.z | u.w << 16); }
#else
#define W4 uint
uvec4 joule_unpack(uint w)
{
	return uvec4(w & 0xffu, (w >> 8) & 0xffu, (w >> 16) & 0xffu, w >> 24);
}
uint joule_pack(uvec4 u) { return u.x | u.y << 8 | u.z << 16 | u.w << 24; }
#endif
layout(buffer_reference, scalar, buffer_reference_align = BYTES * 4) buffer BufW4 { W4 v[]; };
#endif
