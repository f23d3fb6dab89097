/* SPDX-License-Identifier: MIT */
/*
 * Four neighbouring elements of a Buf at a time, as floats (Buf's T is f32,
 * f16, or bytes). Where every lane's every access is made on its own, as on
 * lavapipe, what counts is how many there are: halves and bytes go in whole
 * words, and with JOULE_WIDE (64-bit integers: joule_bind_wide()) floats two
 * at a time.
 */
#ifdef JOULE_WIDE
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#endif

#if defined(T_F16)

#ifdef JOULE_WIDE
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer BufWords { uint64_t v[]; };
#define JOULE_WORDS(u) unpack32(u)
#define JOULE_TO_WORDS(u) pack64(u)
#else
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer BufWords { uvec2 v[]; };
#define JOULE_WORDS(u) (u)
#define JOULE_TO_WORDS(u) (u)
#endif

/* Elements 4i to 4i + 3. */
vec4 joule_load4(Buf b, uint i)
{
	uvec2 u = JOULE_WORDS(BufWords(b).v[i]);

	return vec4(unpackHalf2x16(u.x), unpackHalf2x16(u.y));
}

void joule_store4(Buf b, uint i, vec4 v)
{
	BufWords(b).v[i] = JOULE_TO_WORDS(uvec2(packHalf2x16(v.xy), packHalf2x16(v.zw)));
}

#elif T_BYTES == 1

vec4 joule_load4(Buf b, uint i)
{
	uint u = BufU32(b).v[i];

#ifdef T_I8
	int s = int(u);

	return vec4(bitfieldExtract(s, 0, 8), bitfieldExtract(s, 8, 8), bitfieldExtract(s, 16, 8),
		    s >> 24);
#else
	return vec4(u & 255u, (u >> 8) & 255u, (u >> 16) & 255u, u >> 24);
#endif
}

#else

#ifdef JOULE_WIDE
layout(buffer_reference, scalar, buffer_reference_align = 16) buffer BufWords { u64vec2 v[]; };
#endif

vec4 joule_load4(Buf b, uint i)
{
#ifdef JOULE_WIDE
	u64vec2 u = BufWords(b).v[i];

	return vec4(uintBitsToFloat(unpack32(u.x)), uintBitsToFloat(unpack32(u.y)));
#else
	return Buf4(b).v[i];
#endif
}

void joule_store4(Buf b, uint i, vec4 v)
{
#ifdef JOULE_WIDE
	BufWords(b).v[i] = u64vec2(pack64(floatBitsToUint(v.xy)), pack64(floatBitsToUint(v.zw)));
#else
	Buf4(b).v[i] = v;
#endif
}

#endif

/* f32 elements whatever T is. */
vec4 joule_load4_f32(BufF32 b, uint i)
{
#if defined(JOULE_WIDE) && !defined(T_F16) && T_BYTES == 4
	return joule_load4(Buf(b), i);
#else
	return BufF32x4(b).v[i];
#endif
}

/* Four bytes, the low ones of v. */
void joule_store4_u8(BufU32 b, uint i, uvec4 v)
{
	b.v[i] = (v.x & 255u) | (v.y & 255u) << 8 | (v.z & 255u) << 16 | v.w << 24;
}
