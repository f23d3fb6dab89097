/* SPDX-License-Identifier: MIT */
/* From a file to a model's input: pictures, .npy, .pb and sound. */
#ifndef TOOLS_JOULE_PREP_H
#define TOOLS_JOULE_PREP_H

#include "image.h"
#include "tool.h"

enum prep_fit {
	PREP_STRETCH,   /* scale width and height apart */
	PREP_CROP,      /* scale to cover, take the middle */
	PREP_LETTERBOX, /* scale to fit, pad at the right and bottom or all round */
};

enum prep_colour { PREP_RGB, PREP_BGR, PREP_GREY };

/* Zero-initialize, then prep_defaults(). */
struct prep {
	int width, height;    /* 0: as the model's input says */
	enum prep_fit fit;
	double crop;          /* with PREP_CROP: share of the covering scale kept, 0.875 */
	int pad;              /* letterbox value, 0..255 */
	bool pad_corner;      /* picture in the top left corner instead of the middle */
	enum prep_colour colour;
	bool nhwc, layout_given;
	/* value = (pixel / divide - mean) / std, by channel as the model gets them */
	double divide, mean[3], std[3];
};

/* Where the picture went, to bring boxes and masks back. */
struct prep_map {
	double x, y;          /* source position of the target's corner */
	double scale_x, scale_y; /* source pixels per target pixel */
	int width, height;    /* of the target */
};

void prep_defaults(struct prep *prep);

/*
 * A picture as the tensor that info describes (rank 4 or 3, float or u8).
 * view is zeroed, or what an earlier call made of it, whose memory is used again
 * where it fits; the caller frees it, also after an error. map may be NULL. Exit
 * code, the reason printed.
 */
int prep_image(const struct prep *prep, const char *name, const struct image *image,
	       const struct joule_value_info *info, struct joule_view *view,
	       struct prep_map *map);

/*
 * A .npy, .pb or .wav file; a sound is mono float in [-1, 1), cut or padded
 * with silence to the model's fixed length. Exit code.
 */
int prep_file(struct joule_context *context, const char *path,
	      const struct joule_value_info *info, struct joule_view *view);

bool prep_is_image(const char *path);

#endif
