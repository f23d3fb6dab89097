#version 460
// SPDX-License-Identifier: MIT
//! variant cast
//! variant cast_f64 -DF64
// All element types to all others, eight elements an invocation. Memory is
// read and written in 32-bit words, so that no 8- or 16-bit feature is needed;
// the last word of a tensor keeps what lies beyond its end.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"

// enum joule_dtype
#define F32 1
#define F16 2
#define BF16 3
#define DOUBLE 4
#define I8 5
#define U8 6
#define I16 7
#define U16 8
#define I32 9
#define U32 10
#define I64 11
#define U64 12
#define BOOL 13
#define I4 14
#define U4 15

layout(constant_id = 3) const int SRC = F32;
layout(constant_id = 4) const int DST = F32;
layout(constant_id = 5) const bool WRAP = false; // floats to 4-bit integers do not saturate

layout(push_constant, scalar) uniform Push {
	BufU32 x;
	BufU32 y;
	uint n;
} push;

bool is_float(int t) { return t <= DOUBLE; }
bool is_signed(int t) { return t == I8 || t == I16 || t == I32 || t == I64 || t == I4; }

uint bits_of(int t)
{
	if (t == DOUBLE || t == I64 || t == U64)
		return 64;
	if (t == F32 || t == I32 || t == U32)
		return 32;
	if (t == F16 || t == BF16 || t == I16 || t == U16)
		return 16;
	return t == I4 || t == U4 ? 4 : 8;
}

// A value on its way: integers in 64 bits, floats in f.
struct Value {
	uint lo, hi;
	float f;
#ifdef F64
	double d;
#endif
};

// ---- floats ----

uint half_bits(float f)
{
	uint u = floatBitsToUint(f), sign = (u >> 16) & 0x8000u, a = u & 0x7fffffffu;

	if (a >= 0x7f800000u)
		return sign | 0x7c00u | (a > 0x7f800000u ? 0x200u : 0u);
	if (a >= 0x477ff000u) // 65520 and more
		return sign | 0x7c00u;
	if (a < 0x38800000u) { // below 2^-14: a multiple of 2^-24
		uint shift = 126 - (a >> 23), m = (a & 0x7fffffu) | 0x800000u;

		if (shift > 25)
			return sign;
		uint q = m >> shift, rest = m & ((1u << shift) - 1), half_ = 1u << (shift - 1);

		return sign | (q + uint(rest > half_ || (rest == half_ && (q & 1) != 0)));
	}
	return sign | ((a - 0x38000000u + 0xfffu + ((a >> 13) & 1)) >> 13);
}

uint bf16_bits(float f)
{
	uint u = floatBitsToUint(f);

	if ((u & 0x7fffffffu) > 0x7f800000u)
		return (u >> 16) | 0x40;
	return (u + 0x7fff + ((u >> 16) & 1)) >> 16;
}

// The 64-bit integer hi:lo, rounded once.
float int_to_float(uint lo, uint hi, bool is_negative)
{
	if (is_negative) {
		hi = ~hi + uint(lo == 0);
		lo = 0 - lo;
	}
	float f = float(lo);

	if (hi != 0) {
		int lead = findMSB(hi); // bits above: 31 - lead
		uint top = lead == 31 ? hi : (hi << (31 - lead)) | (lo >> (lead + 1));
		uint rest = lead == 31 ? lo : lo << (31 - lead);

		// A sticky bit far below the rounding position stands for the rest.
		f = ldexp(float(top | uint(rest != 0)), lead + 1);
	}
	return is_negative ? -f : f;
}

/*
 * The magnitude in hi:lo (or larger than 64 bits: huge) with its sign, as DST
 * takes it: saturated. ONNX leaves that open, joule's reference says so.
 */
void saturate(inout Value v, bool neg, bool huge)
{
	bool two_sided = is_signed(DST) || WRAP;
	uint ones = (WRAP ? 64 : bits_of(DST)) - uint(two_sided); // bits of the largest

	if (neg && !two_sided) {
		v.lo = v.hi = 0;
		return;
	}
	if (ones <= 32)
		huge = huge || v.hi != 0 || (ones < 32 && (v.lo >> ones) != 0);
	else
		huge = huge || (ones < 64 && (v.hi >> (ones - 32)) != 0);
	if (huge) {
		// The complement of the largest is the smallest.
		v.lo = ones >= 32 ? 0xffffffffu : (1u << ones) - 1;
		v.hi = ones > 32 ? 0xffffffffu >> (64 - ones) : 0;
		v.lo = neg ? ~v.lo : v.lo;
		v.hi = neg ? ~v.hi : v.hi;
	} else if (neg) {
		v.hi = ~v.hi + uint(v.lo == 0);
		v.lo = 0 - v.lo;
	}
}

void float_to_int(inout Value v)
{
	float m = trunc(abs(v.f));
	bool huge = m >= 18446744073709551616.0;

	v.lo = v.hi = 0;
	if (isnan(v.f))
		return;
	if (!huge) {
		v.hi = uint(m * (1.0 / 4294967296.0));
		v.lo = uint(m - float(v.hi) * 4294967296.0);
	}
	saturate(v, v.f < 0.0, huge);
}

#ifdef F64
/*
 * By bits, since a compiler may take double(float(d)) for d. An inexact result
 * gets its last bit set ("round to odd"): rounding it again to fewer bits then
 * comes out as if done at once.
 */
float double_to_odd_float(double d)
{
	uvec2 u = unpackDouble2x32(d);
	uint sign = u.y & 0x80000000u, e = (u.y >> 20) & 0x7ffu;

	if (e > 1023 + 127)
		return float(d); // infinity or no number
	if (e < 1023 - 126)
		return uintBitsToFloat(sign);
	return uintBitsToFloat(sign | (e - 896) << 23 | (u.y & 0xfffffu) << 3 | u.x >> 29 |
			       uint((u.x & 0x1fffffffu) != 0));
}

void double_to_int(inout Value v)
{
	uvec2 u = unpackDouble2x32(v.d);
	int e = int((u.y >> 20) & 0x7ffu) - 1023, right = 52 - e;
	uint hi = (u.y & 0xfffffu) | 0x100000u, lo = u.x;

	v.lo = v.hi = 0;
	if (isnan(v.d) || e < 0)
		return;
	if (e < 64) {
		if (right >= 32) {
			v.lo = hi >> (right - 32);
		} else if (right > 0) {
			v.lo = lo >> right | hi << (32 - right);
			v.hi = hi >> right;
		} else {
			v.lo = lo << -right;
			v.hi = right == 0 ? hi : hi << -right | lo >> (32 + right);
		}
	}
	saturate(v, (u.y & 0x80000000u) != 0, e >= 64);
}
#endif

// ---- memory ----

Value load(uint w[16], uint e)
{
	uint bits = bits_of(SRC), at = e * bits;
	uint raw = bits == 64 ? w[2 * e] : bits == 32 ? w[e] : w[at / 32] >> (at % 32);
	Value v;

	v.lo = raw;
	v.hi = bits == 64 ? w[min(2 * e + 1, 15)] : 0;
	v.f = 0.0;
	if (bits < 32) {
		v.lo = is_signed(SRC) ? uint(bitfieldExtract(int(raw), 0, int(bits))) :
					bitfieldExtract(raw, 0, int(bits));
	}
	if (bits < 64 && is_signed(SRC))
		v.hi = uint(int(v.lo) >> 31);
	if (SRC == BOOL)
		v.lo = uint(v.lo != 0);
	if (SRC == F32)
		v.f = uintBitsToFloat(raw);
	if (SRC == F16)
		v.f = unpackHalf2x16(v.lo).x;
	if (SRC == BF16)
		v.f = uintBitsToFloat(raw << 16);
#ifdef F64
	v.d = SRC == DOUBLE ? packDouble2x32(uvec2(v.lo, v.hi)) : double(v.f);
#endif
	return v;
}

// The bits to store: x low, y high.
uvec2 convert(Value v)
{
	if (!is_float(SRC) && is_float(DST)) {
		bool neg = is_signed(SRC) && int(v.hi) < 0;

#ifdef F64
		if (DST == DOUBLE) {
			uint hi = neg ? ~v.hi + uint(v.lo == 0) : v.hi, lo = neg ? 0 - v.lo : v.lo;

			v.d = double(hi) * 4294967296.0LF + double(lo);
			v.d = neg ? -v.d : v.d;
			return unpackDouble2x32(v.d);
		}
#endif
		v.f = int_to_float(v.lo, v.hi, neg);
	}
#ifdef F64
	if (SRC == DOUBLE && DST == BOOL)
		return uvec2(v.d != 0.0LF, 0);
	if (DST == DOUBLE)
		return unpackDouble2x32(v.d);
	if (SRC == DOUBLE && is_float(DST))
		v.f = DST == F16 ? double_to_odd_float(v.d) : float(v.d);
	if (SRC == DOUBLE && !is_float(DST)) {
		double_to_int(v);
		return uvec2(v.lo, v.hi);
	}
#endif
	if (DST == BOOL)
		return uvec2(is_float(SRC) ? v.f != 0.0 : (v.lo | v.hi) != 0, 0);
	if (DST == F32)
		return uvec2(floatBitsToUint(v.f), 0);
	if (DST == F16)
		return uvec2(half_bits(v.f), 0);
	if (DST == BF16)
		return uvec2(bf16_bits(v.f), 0);
	if (is_float(SRC))
		float_to_int(v);
	return uvec2(v.lo, v.hi);
}

void main()
{
	uint first = joule_global_index() * 8;

	if (first >= push.n)
		return;
	uint in_bits = bits_of(SRC), out_bits = bits_of(DST);
	uint in_words = in_bits / 4, out_words = out_bits / 4;
	uint n = min(8, push.n - first); // elements of this invocation
	uint from = first / 8 * in_words, to = first / 8 * out_words;
	uint last = (n * in_bits - 1) / 32, end = n * out_bits; // last word in, end bit out
	uint w[16], o[16];

	[[unroll]] for (uint k = 0; k < 16; k++) {
		w[k] = o[k] = 0;
		if (k < in_words)
			w[k] = push.x.v[from + min(k, last)];
	}
	[[unroll]] for (uint e = 0; e < 8; e++) {
		uvec2 u = convert(load(w, e));
		uint at = e * out_bits;

		if (out_bits == 64) {
			o[2 * e] = u.x;
			o[2 * e + 1] = u.y;
		} else if (out_bits == 32) {
			o[e] = u.x;
		} else {
			o[at / 32] |= (u.x & ((1u << out_bits) - 1)) << (at % 32);
		}
	}
	[[unroll]] for (uint k = 0; k < 16; k++) {
		if (k >= out_words || k * 32 >= end)
			continue;
		if (k * 32 + 32 > end) {
			uint keep = 0xffffffffu << (end - k * 32);

			o[k] = (o[k] & ~keep) | (push.y.v[to + k] & keep);
		}
		push.y.v[to + k] = o[k];
	}
}
