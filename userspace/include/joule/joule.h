/* SPDX-License-Identifier: MIT */
/*
 * libjoule: ONNX models as Vulkan compute.
 *
 *	context   where messages go, which devices there are    <joule/context.h>
 *	model     a graph with its weights, read from a file    <joule/model.h>
 *	session   a model made ready to run on a device         <joule/session.h>
 *	types     element types, shapes, views                  <joule/types.h>
 *
 * Functions return 0 or a negative errno, results come by pointer and are NULL
 * on failure. The library never prints, exits or aborts.
 */
#ifndef JOULE_JOULE_H
#define JOULE_JOULE_H

#include <joule/context.h>
#include <joule/model.h>
#include <joule/session.h>
#include <joule/types.h>

#endif
