// SPDX-License-Identifier: MIT
/*
 * The camera source against a driver made of C: the linker puts these functions
 * in place of the system's (--wrap). Frames, their order, what is dropped, and
 * what happens when the driver says no. A real device, where there is one, is
 * the last test.
 */
#include <errno.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../unit/test.h"
#include "../../tools/joule/source.h"

#define FD 1000
#define W  4
#define H  2

static struct {
	bool on;            /* in place of the system */
	uint32_t caps, formats[4], format;
	int n_formats, fail_request;
	int queued[8], n_queued;   /* with the driver */
	struct v4l2_buffer ready[8];
	int n_ready;
	uint32_t sequence;
	int burst[16], at;  /* frames that each wait makes; -1: a damaged one */
	uint8_t memory[8][64];
	int mapped, open;
} cam;

int __real_open(const char *path, int flags, ...);
int __real_close(int fd);
int __real_ioctl(int fd, unsigned long request, ...);
void *__real_mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t n);
int __real_ppoll(struct pollfd *p, nfds_t n, const struct timespec *t, const sigset_t *s);
int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_ioctl(int fd, unsigned long request, ...);
void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset);
int __wrap_munmap(void *at, size_t n);
int __wrap_ppoll(struct pollfd *p, nfds_t n, const struct timespec *t, const sigset_t *s);

int __wrap_open(const char *path, int flags, ...)
{
	if (!cam.on)
		return __real_open(path, flags, 0);
	cam.open++;
	return FD;
}

int __wrap_close(int fd)
{
	if (fd != FD)
		return __real_close(fd);
	cam.open--;
	return 0;
}

void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
	if (fd != FD)
		return __real_mmap(at, n, prot, flags, fd, offset);
	cam.mapped++;
	return cam.memory[offset];
}

int __wrap_munmap(void *at, size_t n)
{
	if ((uint8_t *)at < cam.memory[0] || (uint8_t *)at > cam.memory[7])
		return __real_munmap(at, n);
	cam.mapped--;
	return 0;
}

/* One frame into the oldest queued buffer; without one it is lost, as on a real camera. */
static void make_frame(bool damaged)
{
	struct v4l2_buffer *b = &cam.ready[cam.n_ready];
	uint32_t sequence = cam.sequence++;

	if (!cam.n_queued)
		return;
	memset(b, 0, sizeof(*b));
	b->index = (uint32_t)cam.queued[0];
	memmove(cam.queued, cam.queued + 1, (size_t)--cam.n_queued * sizeof(*cam.queued));
	b->sequence = sequence;
	b->bytesused = W * H * 2;
	b->flags = damaged ? V4L2_BUF_FLAG_ERROR : 0;
	for (int i = 0; i < W * H; i++) {
		cam.memory[b->index][2 * i] = (uint8_t)(16 + sequence);
		cam.memory[b->index][2 * i + 1] = 128;
	}
	cam.n_ready++;
}

int __wrap_ppoll(struct pollfd *p, nfds_t n, const struct timespec *t, const sigset_t *s)
{
	if (!cam.on)
		return __real_ppoll(p, n, t, s);
	for (nfds_t i = 0; i < n; i++)
		p[i].revents = 0;
	if (cam.burst[cam.at] == 99) { /* the signal that ends it all */
		p[0].revents = POLLIN;
		return 1;
	}
	for (int k = 0; k < cam.burst[cam.at]; k++)
		make_frame(false);
	if (cam.burst[cam.at] < 0)
		make_frame(true);
	cam.at++;
	p[1].revents = cam.n_ready ? POLLIN : 0;
	return 1;
}

static int fake_format(struct v4l2_format *f)
{
	f->fmt.pix.width = W;
	f->fmt.pix.height = H;
	f->fmt.pix.bytesperline = 0;
	cam.format = f->fmt.pix.pixelformat;
	return 0;
}

static int fake(unsigned long request, void *arg)
{
	struct v4l2_capability *cap = arg;
	struct v4l2_fmtdesc *desc = arg;
	struct v4l2_buffer *b = arg;

	switch (request) {
	case VIDIOC_QUERYCAP:
		cap->capabilities = cam.caps;
		snprintf((char *)cap->card, sizeof(cap->card), "Camera of C");
		return 0;
	case VIDIOC_ENUM_FMT:
		errno = EINVAL;
		if (desc->index >= (uint32_t)cam.n_formats)
			return -1;
		desc->pixelformat = cam.formats[desc->index];
		return 0;
	case VIDIOC_G_FMT:
		return 0;
	case VIDIOC_S_FMT:
		return fake_format(arg);
	case VIDIOC_QUERYBUF:
		b->length = sizeof(cam.memory[0]);
		b->m.offset = b->index;
		return 0;
	case VIDIOC_QBUF:
		CHECK(cam.n_queued < 8);
		cam.queued[cam.n_queued++] = (int)b->index;
		return 0;
	case VIDIOC_DQBUF:
		errno = EAGAIN;
		if (!cam.n_ready)
			return -1;
		*b = cam.ready[0];
		memmove(cam.ready, cam.ready + 1, (size_t)--cam.n_ready * sizeof(*cam.ready));
		return 0;
	}
	return 0; /* REQBUFS as asked, S_PARM, STREAMON, STREAMOFF */
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (fd != FD)
		return __real_ioctl(fd, request, arg);
	if (cam.fail_request && (unsigned int)cam.fail_request == request) {
		errno = EIO;
		return -1;
	}
	return fake(request, arg);
}

static void reset(void)
{
	memset(&cam, 0, sizeof(cam));
	cam.on = true;
	cam.caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
	cam.formats[cam.n_formats++] = V4L2_PIX_FMT_MJPEG;
	cam.formats[cam.n_formats++] = V4L2_PIX_FMT_YUYV;
}

static const struct source_params params = { .path = "/dev/video0", .kind = SOURCE_V4L2,
					     .format = -1, .stop_fd = 0 };

/* Sequence number of a frame by its grey. */
static int number_of(const struct image *i)
{
	return (int)(i->rgb[0] * 219.0 / 255 + 0.5);
}

static void newest_first(void)
{
	static const int bursts[] = { 1, 3, 0, -1, 6, 1, 99 };
	struct image image = { 0 };
	struct source *s;
	double at;

	reset();
	memcpy(cam.burst, bursts, sizeof(bursts));
	CHECK_EQ(source_open(&params, &s), 0);
	CHECK_EQ(cam.format, V4L2_PIX_FMT_YUYV);
	CHECK_EQ(cam.n_queued, 4);
	CHECK_EQ(source_next(s, &image, &at), 0);
	CHECK_EQ(number_of(&image), 0);
	CHECK_EQ(s->dropped, 0);
	/* Three are ready: the newest, two dropped. */
	CHECK_EQ(source_next(s, &image, &at), 0);
	CHECK_EQ(number_of(&image), 3);
	CHECK_EQ(s->dropped, 2);
	/* A damaged one (4), then six of which the driver has room for four (5..8). */
	CHECK_EQ(source_next(s, &image, &at), 0);
	CHECK_EQ(number_of(&image), 8);
	CHECK_EQ(s->dropped, 6);
	/* 9 and 10 found no buffer. */
	CHECK_EQ(source_next(s, &image, &at), 0);
	CHECK_EQ(number_of(&image), 11);
	CHECK_EQ(s->dropped, 8);
	CHECK_EQ(source_next(s, &image, &at), SOURCE_END);
	CHECK_EQ(s->read, 4);
	source_close(s);
	CHECK_EQ(cam.mapped, 0);
	CHECK_EQ(cam.open, 0);
	image_finish(&image);
}

static void refusals(void)
{
	static const unsigned long requests[] = { VIDIOC_S_FMT, VIDIOC_REQBUFS, VIDIOC_QUERYBUF,
						  VIDIOC_QBUF, VIDIOC_STREAMON };
	struct source_params p = params;
	struct image image = { 0 };
	struct source *s;
	double at;

	reset();
	cam.caps = V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_STREAMING;
	CHECK_EQ(source_open(&params, &s), TOOL_UNSUPPORTED);
	reset();
	cam.n_formats = 0;
	CHECK_EQ(source_open(&params, &s), TOOL_UNSUPPORTED);
	reset();
	p.format = PIXELS_NV12;
	CHECK_EQ(source_open(&p, &s), TOOL_UNSUPPORTED);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		reset();
		cam.fail_request = (int)requests[i];
		CHECK_EQ(source_open(&params, &s), TOOL_IO);
		CHECK_EQ(cam.mapped, 0);
		CHECK_EQ(cam.open, 0);
	}
	/* Unplugged in the middle. */
	reset();
	cam.burst[0] = 1;
	CHECK_EQ(source_open(&params, &s), 0);
	cam.fail_request = (int)VIDIOC_DQBUF;
	CHECK_EQ(source_next(s, &image, &at), TOOL_IO);
	source_close(s);
	CHECK_EQ(cam.open, 0);
	image_finish(&image);
}

static int real_device(void)
{
	struct source_params p = params;
	struct image image = { 0 };
	struct source *s;
	int fds[2];
	double at;

	cam.on = false;
	if (access("/dev/video0", R_OK | W_OK))
		return TEST_SKIP;
	CHECK(!pipe(fds));
	p.stop_fd = fds[0];
	CHECK_EQ(source_open(&p, &s), 0);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(source_next(s, &image, &at), 0);
	source_close(s);
	image_finish(&image);
	return 0;
}

int main(void)
{
	/* The refusals' messages are expected. */
	CHECK(freopen("/dev/null", "w", stderr));
	newest_first();
	refusals();
	if (real_device() == TEST_SKIP)
		printf("test_v4l2: the real camera skipped: no /dev/video0\n");
	return 0;
}
