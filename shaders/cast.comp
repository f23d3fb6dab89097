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

// Cut off and saturated: ONNX leaves it open, joule's reference says so.
void float_to_int(inout Value v)
{
	float m = trunc(abs(v.f));
	bool neg = v.f < 0.0, is_signed_ = is_signed(DST) || WRAP;
	uint bits = WRAP ? 64 : bits_of(DST);

	if (isnan(v.f)) {
		v.lo = v.hi = 0;
		return;
	}
	if (!is_signed_) {
		m = neg ? 0.0 : m;
		neg = false;
	}
	// One past the largest magnitude: 2^bits, or 2^(bits - 1).
	float end = ldexp(1.0, int(bits) - int(is_signed_));
	bool over = m >= end;

	v.hi = over ? 0 : uint(m * (1.0 / 4294967296.0));
	v.lo = over ? 0 : uint(m - float(v.hi) * 4294967296.0);
	if (over) {
		// The largest, of `bits` bits; its complement is the smallest.
		uint ones = bits - uint(is_signed_);

		v.lo = ones >= 32 ? 0xffffffffu : (1u << ones) - 1;
		v.hi = ones > 32 ? 0xffffffffu >> (64 - ones) : 0;
		if (neg) {
			v.lo = ~v.lo;
			v.hi = ~v.hi;
		}
	} else if (neg) {
		v.hi = ~v.hi + uint(v.lo == 0);
		v.lo = 0 - v.lo;
	}
}

#ifdef F64
// To float; odd: an inexact result gets its last bit set, so that rounding it
// again to fewer bits comes out as if done at once.
float double_to_float(double d, bool odd)
{
	float f = float(d);

	if (odd && !isnan(f) && !isinf(f) && double(f) != d) {
		uint u = floatBitsToUint(f);

		if (abs(double(f)) > abs(d))
			u -= 1;
		f = uintBitsToFloat(u | 1);
	}
	return f;
}

void double_to_int(inout Value v)
{
	double m = trunc(abs(v.d));
	bool neg = v.d < 0.0;

	v.f = float(v.d);
	// Magnitudes that float holds as well as the far too large ones go that way.
	if (isnan(v.f) || double(v.f) == v.d || m >= 18446744073709551616.0LF ||
	    (!is_signed(DST) && neg && !WRAP) || bits_of(DST) < 32) {
		v.f = abs(v.f) > float(m) && m < 16777216.0LF ? (neg ? -float(m) : float(m)) : v.f;
		float_to_int(v);
		return;
	}
	double end = bits_of(DST) == 64 ?
			     (is_signed(DST) ? 9223372036854775808.0LF : 18446744073709551616.0LF) :
			     (is_signed(DST) ? 2147483648.0LF : 4294967296.0LF);

	if (m >= end) {
		v.f = neg ? -ldexp(1.0, 80) : ldexp(1.0, 80);
		float_to_int(v);
		return;
	}
	v.hi = uint(m / 4294967296.0LF);
	v.lo = uint(m - double(v.hi) * 4294967296.0LF);
	if (neg) {
		v.hi = ~v.hi + uint(v.lo == 0);
		v.lo = 0 - v.lo;
	}
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
		v.f = double_to_float(v.d, DST == F16);
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
