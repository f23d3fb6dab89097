# SPDX-License-Identifier: MIT
# Whole models and ONNX's node vectors, through the joule command.

DATA ?= $(or $(JOULE_DATA),../shared/data)

## make check-models  whole models against recorded outputs, reference and Vulkan
.PHONY: check-models
check-models: $(O)/joule
	@sh tests/models/check_models.sh $(O)/joule $(DATA) cpu
	@sh tests/models/check_models.sh $(O)/joule $(DATA) vulkan

CHECKS += check-models

## make check-nodes  ONNX's node vectors, reference and Vulkan
.PHONY: check-nodes
check-nodes: $(O)/joule
	@sh tests/models/check_nodes.sh $(O)/joule $(DATA) cpu tests/models/unsupported.tsv
	@sh tests/models/check_nodes.sh $(O)/joule $(DATA) vulkan tests/models/unsupported.tsv

CHECKS += check-nodes
