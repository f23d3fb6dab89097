// SPDX-License-Identifier: MIT
/*
 * A V4L2 camera by mmap streaming. Always the newest frame is handed out:
 * older ones that wait in the queue go back to the driver and count as dropped,
 * as do those the driver itself skipped, by its sequence numbers.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source.h"

#define BUFFERS 4

struct v4l2_source {
	struct source base;
	int n;
	struct {
		void *data;
		size_t bytes;
	} buffers[BUFFERS];
	bool streaming, begun;
	uint32_t sequence; /* of the frame handed out last */
};

/* In the order they are preferred: cheap to convert first. */
static const struct {
	uint32_t fourcc;
	int format; /* -1: MJPEG */
} formats[] = {
	{ V4L2_PIX_FMT_RGB24, PIXELS_RGB24 },	{ V4L2_PIX_FMT_BGR24, PIXELS_BGR24 },
	{ V4L2_PIX_FMT_YUYV, PIXELS_YUYV },	{ V4L2_PIX_FMT_NV12, PIXELS_NV12 },
	{ V4L2_PIX_FMT_UYVY, PIXELS_UYVY },	{ V4L2_PIX_FMT_NV21, PIXELS_NV21 },
	{ V4L2_PIX_FMT_YUV420, PIXELS_YUV420P }, { V4L2_PIX_FMT_MJPEG, -1 },
	{ V4L2_PIX_FMT_JPEG, -1 },		{ V4L2_PIX_FMT_GREY, PIXELS_GRAY },
};

#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

static int camera_ioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do
		ret = ioctl(fd, request, arg);
	while (ret < 0 && errno == EINTR);
	return ret;
}

static int failed(const struct v4l2_source *v, const char *what)
{
	int err = errno;

	tool_error("%s: %s: %s", v->base.name, what, strerror(err));
	return err == ENOMEM ? TOOL_NO_MEMORY : TOOL_IO;
}

static int check_device(const struct v4l2_source *v)
{
	struct v4l2_capability cap = { 0 };
	uint32_t has;

	if (camera_ioctl(v->base.fd, VIDIOC_QUERYCAP, &cap)) {
		if (errno != ENOTTY && errno != EINVAL)
			return failed(v, "VIDIOC_QUERYCAP");
		tool_error("%s: not a V4L2 device", v->base.name);
		return TOOL_BAD_INPUT;
	}
	has = cap.capabilities & V4L2_CAP_DEVICE_CAPS ? cap.device_caps : cap.capabilities;
	if ((has & V4L2_CAP_VIDEO_CAPTURE) && (has & V4L2_CAP_STREAMING))
		return 0;
	tool_error("%s: %.32s: %s", v->base.name, (const char *)cap.card,
		   has & V4L2_CAP_VIDEO_CAPTURE_MPLANE ?
			   "multi-planar capture is not supported" :
			   "does not stream captured video");
	return TOOL_UNSUPPORTED;
}

/* The pixel format asked for, or the best one the driver lists; 0 when there is none. */
static uint32_t choose_format(const struct v4l2_source *v)
{
	size_t best = N_FORMATS;

	for (uint32_t i = 0;; i++) {
		struct v4l2_fmtdesc d = { .index = i, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

		if (camera_ioctl(v->base.fd, VIDIOC_ENUM_FMT, &d))
			break;
		for (size_t k = 0; k < best; k++)
			if (formats[k].fourcc == d.pixelformat &&
			    (v->base.params.format < 0 ||
			     formats[k].format == v->base.params.format))
				best = k;
	}
	return best < N_FORMATS ? formats[best].fourcc : 0;
}

static int bad_format(const struct v4l2_source *v)
{
	tool_error("%s: the camera has no pixel format %s", v->base.name,
		   v->base.params.format < 0 ?
			   "that joule reads" :
			   pixels_name((enum pixel_format)v->base.params.format));
	return TOOL_UNSUPPORTED;
}

/* What the driver says about colours counts unless the user said otherwise. */
static void read_colours(struct pixels *p, const struct v4l2_pix_format *f)
{
	if (!p->matrix && (f->ycbcr_enc == V4L2_YCBCR_ENC_709 ||
			   (!f->ycbcr_enc && f->colorspace == V4L2_COLORSPACE_REC709)))
		p->matrix = PIXELS_BT709;
	else if (!p->matrix && (f->ycbcr_enc == V4L2_YCBCR_ENC_601 ||
				(!f->ycbcr_enc && f->colorspace)))
		p->matrix = PIXELS_BT601;
	if (!p->range && f->quantization)
		p->range = f->quantization == V4L2_QUANTIZATION_FULL_RANGE ? PIXELS_FULL :
									     PIXELS_LIMITED;
}

static int set_format(struct v4l2_source *v)
{
	struct v4l2_format f = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	const struct source_params *o = &v->base.params;
	struct pixels *p = &v->base.pixels;
	uint32_t fourcc = choose_format(v);
	size_t k = 0;

	if (!fourcc)
		return bad_format(v);
	if (camera_ioctl(v->base.fd, VIDIOC_G_FMT, &f))
		return failed(v, "VIDIOC_G_FMT");
	f.fmt.pix.pixelformat = fourcc;
	f.fmt.pix.field = V4L2_FIELD_ANY;
	f.fmt.pix.bytesperline = 0;
	f.fmt.pix.sizeimage = 0;
	if (o->width) {
		f.fmt.pix.width = (uint32_t)o->width;
		f.fmt.pix.height = (uint32_t)o->height;
	}
	if (camera_ioctl(v->base.fd, VIDIOC_S_FMT, &f))
		return failed(v, "VIDIOC_S_FMT");
	while (k < N_FORMATS && formats[k].fourcc != f.fmt.pix.pixelformat)
		k++;
	if (k == N_FORMATS || f.fmt.pix.width > 65536 || f.fmt.pix.height > 65536)
		return bad_format(v);
	if (o->width && ((uint32_t)o->width != f.fmt.pix.width ||
			 (uint32_t)o->height != f.fmt.pix.height))
		tool_error("warning: %s: the camera gives %ux%u, not %dx%d", v->base.name,
			   f.fmt.pix.width, f.fmt.pix.height, o->width, o->height);
	v->base.mjpeg = formats[k].format < 0;
	p->format = v->base.mjpeg ? PIXELS_RGB24 : (enum pixel_format)formats[k].format;
	p->width = (int)f.fmt.pix.width;
	p->height = (int)f.fmt.pix.height;
	p->stride = v->base.mjpeg ? 0 : f.fmt.pix.bytesperline;
	read_colours(p, &f.fmt.pix);
	return 0;
}

/* A rate the camera cannot keep is its own affair: it takes the nearest. */
static void set_rate(const struct v4l2_source *v)
{
	struct v4l2_streamparm s = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };

	if (v->base.params.fps <= 0)
		return;
	s.parm.capture.timeperframe.numerator = 1000;
	s.parm.capture.timeperframe.denominator = (uint32_t)(v->base.params.fps * 1000);
	if (camera_ioctl(v->base.fd, VIDIOC_S_PARM, &s))
		tool_error("warning: %s: the camera's rate cannot be set", v->base.name);
}

static int give_back(const struct v4l2_source *v, uint32_t index)
{
	struct v4l2_buffer b = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
				 .memory = V4L2_MEMORY_MMAP,
				 .index = index };

	return camera_ioctl(v->base.fd, VIDIOC_QBUF, &b) ? failed(v, "VIDIOC_QBUF") : 0;
}

static int start(struct v4l2_source *v)
{
	struct v4l2_requestbuffers r = { .count = BUFFERS,
					 .type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
					 .memory = V4L2_MEMORY_MMAP };
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE, ret = 0;

	if (camera_ioctl(v->base.fd, VIDIOC_REQBUFS, &r))
		return failed(v, "VIDIOC_REQBUFS");
	v->n = r.count < BUFFERS ? (int)r.count : BUFFERS;
	for (int i = 0; i < v->n; i++) {
		struct v4l2_buffer b = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
					 .memory = V4L2_MEMORY_MMAP,
					 .index = (uint32_t)i };

		if (camera_ioctl(v->base.fd, VIDIOC_QUERYBUF, &b))
			return failed(v, "VIDIOC_QUERYBUF");
		v->buffers[i].data = mmap(NULL, b.length, PROT_READ, MAP_SHARED, v->base.fd,
					  b.m.offset);
		if (v->buffers[i].data == MAP_FAILED) {
			v->buffers[i].data = NULL;
			return failed(v, "mmap");
		}
		v->buffers[i].bytes = b.length;
	}
	for (int i = 0; !ret && i < v->n; i++)
		ret = give_back(v, (uint32_t)i);
	if (!ret && camera_ioctl(v->base.fd, VIDIOC_STREAMON, &type))
		ret = failed(v, "VIDIOC_STREAMON");
	v->streaming = !ret;
	return ret;
}

/* The newest complete frame of those that are ready; -EAGAIN where there is none yet. */
static int take_newest(struct v4l2_source *v, struct v4l2_buffer *newest)
{
	bool have = false;

	for (;;) {
		struct v4l2_buffer b = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
					 .memory = V4L2_MEMORY_MMAP };
		int ret;

		if (camera_ioctl(v->base.fd, VIDIOC_DQBUF, &b)) {
			if (errno == EAGAIN)
				return have ? 0 : -EAGAIN;
			return failed(v, "VIDIOC_DQBUF");
		}
		if (b.index >= (uint32_t)v->n) {
			tool_error("%s: the driver gave buffer %u of %d", v->base.name, b.index,
				   v->n);
			return TOOL_IO;
		}
		/* A damaged frame goes back; the gap in the sequence counts it. */
		ret = b.flags & V4L2_BUF_FLAG_ERROR ? give_back(v, b.index) :
		      have			    ? give_back(v, newest->index) : 0;
		if (ret)
			return ret;
		if (!(b.flags & V4L2_BUF_FLAG_ERROR)) {
			*newest = b;
			have = true;
		}
	}
}

/* False when the frame is damaged. */
static bool convert(struct v4l2_source *v, const struct v4l2_buffer *b, struct image *out)
{
	const uint8_t *data = v->buffers[b->index].data;
	size_t used = b->bytesused;

	if (used > v->buffers[b->index].bytes)
		return false;
	if (v->base.mjpeg)
		return !image_decode_jpeg(NULL, data, used, out);
	if (pixels_bytes(&v->base.pixels) > (used ? used : v->buffers[b->index].bytes))
		return false;
	pixels_to_rgb(&v->base.pixels, data, out->rgb);
	return true;
}

static int v4l2_next(struct source *s, struct image *out, double *captured_ms)
{
	struct v4l2_source *v = (struct v4l2_source *)s;
	struct v4l2_buffer b = { 0 };
	bool good = false;
	int ret = v->base.mjpeg ? 0 : source_fit(s, out);

	while (!ret && !good) {
		ret = source_wait(s, s->fd, 0);
		if (!ret)
			ret = take_newest(v, &b);
		if (ret == -EAGAIN) {
			ret = 0;
			continue;
		}
		if (ret)
			break;
		*captured_ms = source_now_ms();
		good = convert(v, &b, out);
		s->convert_ms += source_now_ms() - *captured_ms;
		if (good) {
			if (v->begun)
				s->dropped += (long)(uint32_t)(b.sequence - v->sequence - 1);
			v->begun = true;
			v->sequence = b.sequence;
		}
		ret = give_back(v, b.index);
	}
	return ret;
}

static void v4l2_close(struct source *s)
{
	struct v4l2_source *v = (struct v4l2_source *)s;
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

	if (v->streaming)
		camera_ioctl(s->fd, VIDIOC_STREAMOFF, &type);
	for (int i = 0; i < v->n; i++)
		if (v->buffers[i].data)
			munmap(v->buffers[i].data, v->buffers[i].bytes);
	if (s->fd >= 0)
		close(s->fd);
	free(v);
}

static const struct source_ops ops = { .next = v4l2_next, .close = v4l2_close };

int source_v4l2_open(const struct source_params *params, struct source **out)
{
	struct v4l2_source *v = calloc(1, sizeof(*v));
	struct source *s = &v->base;
	int ret = 0;

	if (!v)
		return TOOL_NO_MEMORY;
	s->ops = &ops;
	s->params = *params;
	s->name = params->path;
	s->pixels.matrix = params->matrix;
	s->pixels.range = params->range;
	s->fd = open(params->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (s->fd < 0)
		ret = failed(v, "open");
	if (!ret)
		ret = check_device(v);
	if (!ret)
		ret = set_format(v);
	if (!ret && !s->mjpeg && !pixels_bytes(&s->pixels)) {
		tool_error("%s: frames of %dx%d are too large", s->name, s->pixels.width,
			   s->pixels.height);
		ret = TOOL_BAD_INPUT;
	}
	if (!ret) {
		set_rate(v);
		ret = start(v);
	}
	if (ret)
		v4l2_close(s);
	else
		*out = s;
	return ret;
}
