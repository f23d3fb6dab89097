#version 460
// SPDX-License-Identifier: MIT
//! variant roi_align_f32
//! variant roi_align_f16 -DT_F16
// Regions pooled to one size: an invocation goes through a bin's samples.
#extension GL_GOOGLE_include_directive : require
#include "lib/common.glsl"
#include "lib/index.glsl"

layout(constant_id = 3) const uint WORDS = 1; // of a batch index
layout(constant_id = 4) const bool MAX = false;
layout(constant_id = 5) const bool HALF_PIXEL = true;

layout(push_constant, scalar) uniform Push {
	Buf x;
	Buf rois;
	BufI32 batch;
	Buf y;
	uint n;
	uvec2 c, h, w; // of the output, with magic
	int batches, in_h, in_w;
	int samples;   // 0: as many as the bin has pixels
	float scale;
} push;

const int MOST_SAMPLES = 4096;

// Start, bin size and samples along one axis.
void span(float from, float to, uint bins, out float start, out float bin, out int samples)
{
	float offset = HALF_PIXEL ? 0.5 : 0.0;

	start = from * push.scale - offset;
	bin = to * push.scale - offset - start;
	if (!HALF_PIXEL)
		bin = max(bin, 1.0);
	bin /= float(bins);
	samples = push.samples > 0 ? push.samples : int(clamp(ceil(bin), 0.0, float(MOST_SAMPLES)));
}

// The two pixels around v and the weight of the second; false when outside.
bool around(float v, int n, out ivec2 at, out float w)
{
	bool inside = v >= -1.0 && v <= float(n);

	v = inside ? max(v, 0.0) : 0.0;
	at.x = min(int(v), n - 1);
	at.y = min(at.x + 1, n - 1);
	w = at.x == at.y ? 0.0 : v - float(at.x);
	return inside;
}

void main()
{
	uint i = JOULE_CLAMPED_INDEX(push.n);
	uvec2 qx = joule_divmod(i, push.w.x, push.w.y), qy = joule_divmod(qx.x, push.h.x, push.h.y);
	uvec2 qc = joule_divmod(qy.x, push.c.x, push.c.y);
	int batch = JOULE_INDEX(push.batch, qc.x, WORDS);
	float y0, x0, bin_y, bin_x, out_ = 0.0;
	int ny, nx;

	batch = clamp(batch < 0 ? batch + push.batches : batch, 0, push.batches - 1);
	span(float(push.rois.v[qc.x * 4]), float(push.rois.v[qc.x * 4 + 2]), push.w.x, x0, bin_x, nx);
	span(float(push.rois.v[qc.x * 4 + 1]), float(push.rois.v[qc.x * 4 + 3]), push.h.x, y0, bin_y, ny);
	int image = (batch * int(push.c.x) + int(qc.y)) * push.in_h;

	for (int sy = 0; sy < ny; sy++) {
		ivec2 iy;
		float wy;
		bool row = around(y0 + bin_y * (float(qy.y) + (float(sy) + 0.5) / float(ny)), push.in_h, iy, wy);

		for (int sx = 0; sx < nx; sx++) {
			ivec2 ix;
			float wx;
			bool inside = around(x0 + bin_x * (float(qx.y) + (float(sx) + 0.5) / float(nx)),
					     push.in_w, ix, wx) && row;
			ivec2 r = (image + iy) * push.in_w;
			vec4 v = vec4(push.x.v[r.x + ix.x], push.x.v[r.x + ix.y],
				      push.x.v[r.y + ix.x], push.x.v[r.y + ix.y]) *
				 vec4((1.0 - wy) * (1.0 - wx), (1.0 - wy) * wx, wy * (1.0 - wx), wy * wx);

			v = inside ? v : vec4(0.0);
			if (MAX) {
				float most = max(max(v.x, v.y), max(v.z, v.w));

				out_ = sy + sx == 0 ? most : max(out_, most);
			} else {
				out_ += v.x + v.y + v.z + v.w;
			}
		}
	}
	if (!MAX)
		out_ /= float(max(nx * ny, 1));
	push.y.v[i] = T(out_);
}
