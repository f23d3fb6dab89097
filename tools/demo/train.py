#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Train the meter reader, measure it on what it never saw, write it as ONNX.

    train.py [--count 32000] [--epochs 3] [--cache DIR] [--out DIR]

Pictures come from render.py and are kept in the cache, under a name that
changes with render.py. Writes meter.onnx, meter.md and the samples. Every
figure in meter.md is measured here, on the exported file's own weights.
"""
import argparse
import copy
import hashlib
import math
import multiprocessing
import os
import platform
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import onnx
from PIL import Image

import render
from render import BLANK, DECIMALS, HEIGHT, PLACES, WHOLE, WIDTH

HERE = os.path.dirname(os.path.abspath(__file__))
CELL = 8                                        # pixels per cell of the attention map
ROWS, COLS = HEIGHT // CELL, WIDTH // CELL
TRAIN, TEST, KNOWN = 1, 2, 3                    # seeds of the picture sets
SAMPLE_SEED, SAMPLES = 34, 4                    # chosen for its looks, before the network existed
DOUBT = 0.08                                    # a stand this near the changeover is a coin's toss


# ---------------------------------------------------------------- pictures

def draw(job):
    seed, index, held = job
    picture, facts = render.render(seed, index, held)
    return (np.asarray(picture), np.array(facts["label"], np.uint8),
            np.array(facts["place"], np.float32), np.array(facts["moving"]),
            np.float32(np.nan if facts["stand"] is None else facts["stand"]),
            render.KINDS.index(facts["kind"]), facts["font"])


def pictures(cache, seed, count, held, workers):
    """The set (seed, 0..count), drawn once: dict of arrays, pictures mapped."""
    with open(render.__file__, "rb") as f:
        version = hashlib.sha256(f.read()).hexdigest()[:12]
    stem = os.path.join(cache, "%s-%d-%d%s" % (version, seed, count, "-held" if held else ""))
    shape = (count, HEIGHT, WIDTH, 3)
    if not os.path.exists(stem + ".npz"):
        os.makedirs(cache, exist_ok=True)
        started = time.time()
        x = np.memmap(stem + ".u8", np.uint8, "w+", shape=shape)
        rest = []
        with multiprocessing.Pool(workers) as pool:
            jobs = ((seed, i, held) for i in range(count))
            for i, (picture, *facts) in enumerate(pool.imap(draw, jobs, 32)):
                x[i] = picture
                rest.append(facts)
                if (i + 1) % 2000 == 0:
                    print("%d of %d drawn, %.0f s" % (i + 1, count, time.time() - started), flush=True)
        x.flush()
        names = ("label", "place", "moving", "stand", "kind", "font")
        np.savez(stem + ".npz", **{n: np.array(v) for n, v in zip(names, zip(*rest))})
        print("drew %d pictures in %.0f s" % (count, time.time() - started), flush=True)
    data = dict(np.load(stem + ".npz"))
    data["picture"] = np.memmap(stem + ".u8", np.uint8, "r", shape=shape)
    return data


# ---------------------------------------------------------------- network

def conv(i, o, k=3, stride=1, groups=1, relu=True):
    layers = [nn.Conv2d(i, o, k, stride, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*layers, nn.ReLU()) if relu else nn.Sequential(*layers)


class Block(nn.Module):
    """A depthwise look around, a pointwise mix, added to what was there."""

    def __init__(self, c, k):
        super().__init__()
        self.body = nn.Sequential(conv(c, c, k, groups=c), conv(c, c, 1, relu=False))

    def forward(self, x):
        return F.relu(x + self.body(x))


class Reader(nn.Module):
    """Eyes see digits in every cell of 8 x 8 pixels; a wider view, at half that
    resolution, says which cell holds which decimal place; one small classifier
    reads what is at each place."""

    def __init__(self, c=64, wide=96):
        super().__init__()
        self.eyes = nn.Sequential(conv(3, 12, 3, 2), conv(12, 24, 3, 2), conv(24, c, 3, 2),
                                  Block(c, 5), Block(c, 5), Block(c, 5))
        self.view = nn.Sequential(nn.MaxPool2d(2), conv(c, wide, 1), *(Block(wide, 5) for _ in range(5)),
                                  nn.Conv2d(wide, PLACES * 4, 1))
        self.near = nn.Conv2d(c, PLACES, 1)
        self.value = nn.Conv2d(c, c, 1)
        self.read = nn.Sequential(nn.Linear(c, c), nn.ReLU(), nn.Linear(c, BLANK + 1))

    def forward(self, x, where=None):
        seen = self.eyes(x)
        n = x.shape[0]
        # four finer cells per coarse one, by two transposes of four axes
        wide = self.view(seen).reshape(n * PLACES * 2, 2, ROWS // 2 * (COLS // 2)).transpose(1, 2)
        wide = wide.reshape(n * PLACES, 2, ROWS // 2, COLS).transpose(1, 2).reshape(n, PLACES, ROWS * COLS)
        score = wide + self.near(seen).reshape(n, PLACES, ROWS * COLS)
        value = self.value(seen).reshape(n, -1, ROWS * COLS).transpose(1, 2)
        logits = self.read(torch.matmul(torch.softmax(score, -1), value))
        if where is None:
            return torch.softmax(logits, -1)
        return logits, self.read(torch.matmul(where, value)), score


# ---------------------------------------------------------------- training

def targets(place):
    """Places in pixels to weights of the four cells around each."""
    n = len(place)
    where = torch.zeros(n, PLACES, ROWS * COLS)
    x = (place[..., 0] / CELL).clamp(0, COLS - 1.001)
    y = (place[..., 1] / CELL).clamp(0, ROWS - 1.001)
    fx, fy = x - x.floor(), y - y.floor()
    at = (y.floor() * COLS + x.floor()).long()
    for step, weight in ((0, (1 - fx) * (1 - fy)), (1, fx * (1 - fy)), (COLS, (1 - fx) * fy), (COLS + 1, fx * fy)):
        where.scatter_(2, (at + step)[..., None], weight[..., None])
    return where


def batch(data, picked, rng, reach=10):
    """Some pictures, shifted and recoloured at random."""
    x = np.empty((len(picked), HEIGHT, WIDTH, 3), np.uint8)
    place = data["place"][picked].copy()
    shift = rng.integers(-reach, reach + 1, (len(picked), 2))
    for k, (i, (dx, dy)) in enumerate(zip(picked, shift)):
        cols = np.clip(np.arange(WIDTH) - dx, 0, WIDTH - 1)
        rows = np.clip(np.arange(HEIGHT) - dy, 0, HEIGHT - 1)
        x[k] = data["picture"][i][rows][:, cols]
        place[k] += (dx, dy)
    x = torch.from_numpy(x).permute(0, 3, 1, 2).float()     # channels last in memory
    gain = rng.uniform(0.8, 1.2, (len(picked), 1, 1, 1)) * rng.normal(1, 0.03, (len(picked), 3, 1, 1))
    bias = rng.normal(0, 0.05, (len(picked), 1, 1, 1))
    x = (x * torch.from_numpy(gain / 255).float() + torch.from_numpy(bias).float()).clamp_(0, 1)
    return x, torch.from_numpy(data["label"][picked].astype(np.int64)), torch.from_numpy(place)


def train(data, epochs, after_epoch, size=48, peak=4e-3):
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    net = Reader().to(memory_format=torch.channels_last)
    mean = Reader().to(memory_format=torch.channels_last)   # running mean of the weights
    mean.load_state_dict(net.state_dict())
    count = len(data["label"])
    steps = epochs * (count // size)
    decay = [p for p in net.parameters() if p.dim() > 1]
    plain = [p for p in net.parameters() if p.dim() <= 1]
    best = torch.optim.AdamW([{"params": decay, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0}], lr=peak)
    rate = torch.optim.lr_scheduler.OneCycleLR(best, peak, total_steps=steps, pct_start=0.1)
    started = time.time()
    step, sums = 0, np.zeros(3)
    for epoch in range(epochs):
        order = rng.permutation(count)
        for k in range(count // size):
            x, label, place = batch(data, np.sort(order[k * size:(k + 1) * size]), rng)
            where, there = targets(place), label != BLANK
            with torch.autocast("cpu", torch.bfloat16):
                logits, told, score = net(x, where)
            read = F.cross_entropy(logits.float().reshape(-1, BLANK + 1), label.reshape(-1))
            told = F.cross_entropy(told.float()[there], label[there])
            look = -(where[there] * F.log_softmax(score.float()[there], -1)).sum(-1).mean()
            best.zero_grad()
            (read + 0.5 * told + 0.3 * look).backward()
            nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            best.step()
            rate.step()
            step += 1
            with torch.no_grad():
                keep = min(0.998, step / (step + 20))
                for a, b in zip(mean.state_dict().values(), net.state_dict().values()):
                    a.lerp_(b, 1 - keep) if a.is_floating_point() else a.copy_(b)
            sums = sums * 0.98 + np.array([read.item(), told.item(), look.item()]) * 0.02
            if step % 100 == 0:
                print("step %d/%d  read %.4f told %.4f look %.3f  %.0f s"
                      % (step, steps, *sums / (1 - 0.98 ** step), time.time() - started), flush=True)
        after_epoch(mean)
    return mean.eval(), steps, time.time() - started


# ---------------------------------------------------------------- measuring

def answers(net, data, size=50):
    found = []
    with torch.no_grad():
        for k in range(0, len(data["label"]), size):
            x = torch.from_numpy(np.array(data["picture"][k:k + size])).permute(0, 3, 1, 2).float() / 255
            found.append(net(x).numpy())
    return np.concatenate(found)


def wilson(good, count, z=1.96):
    if not count:
        return "none"
    p = good / count
    middle = (p + z * z / 2 / count) / (1 + z * z / count)
    half = z * math.sqrt(p * (1 - p) / count + z * z / 4 / count ** 2) / (1 + z * z / count)
    return "%.2f %% (%.2f to %.2f, n = %d)" % (100 * p, 100 * max(0.0, middle - half), 100 * min(1.0, middle + half), count)


def doubtful(data):
    """Meters whose last wheel stands so near the changeover that two readings are right."""
    return np.abs(data["stand"] - (1 - render.SETTLE)) < DOUBT


class Score:
    """What a set of pictures and the answers to it say, part by part."""

    def __init__(self, data, chance):
        self.data, self.sure = data, chance.max(-1).min(1)
        self.label, self.found = data["label"], chance.argmax(-1)
        self.there = self.label != BLANK
        self.meter = data["kind"] != render.KINDS.index("none")
        self.right = self.found == self.label
        self.whole = self.right.all(1)
        self.movers = data["moving"].sum(1)
        self.clear = self.meter & ~doubtful(data)

    def digits(self, meters, wheels=None):
        chosen = self.there & meters[:, None] & (True if wheels is None else wheels)
        return wilson(self.right[chosen].sum(), chosen.sum())

    def meters(self, chosen):
        return wilson(self.whole[chosen].sum(), chosen.sum())

    def row(self, name, chosen):
        return "| %s | %s | %s |\n" % (name, self.digits(chosen), self.meters(chosen))

    def confusions(self, most=8):
        """Wrong digits of wheels at rest on clear meters, and places seen where none is or not seen."""
        still = self.clear[:, None] & ~self.data["moving"] & ~self.right
        pairs, counts = np.unique(np.stack([self.label[still], self.found[still]]), axis=1, return_counts=True)
        order = np.argsort(-counts, kind="stable")[:most]
        name = [str(d) for d in range(10)] + ["no wheel"]
        return ", ".join("%s as %s (%d)" % (name[pairs[0, i]], name[pairs[1, i]], counts[i]) for i in order) or "none"

    def layout(self):
        wrong = ((self.found == BLANK) != (self.label == BLANK)).any(1)
        return "%d of %d" % ((wrong & self.meter).sum(), self.meter.sum())


# ---------------------------------------------------------------- the file

def export(net, path, facts):
    """Write the network as ONNX with short names and all a user must know."""
    net = copy.deepcopy(net).to(memory_format=torch.contiguous_format).eval()
    torch.onnx.export(net, torch.zeros(1, 3, HEIGHT, WIDTH), path, opset_version=13, do_constant_folding=True,
                      input_names=["picture"], output_names=["digits"])
    model = onnx.load(path)
    graph = model.graph
    same = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "Identity"}
    for node in [n for n in graph.node if n.op_type in ("Identity", "Constant")]:
        if node.op_type == "Constant":
            graph.initializer.add().CopyFrom(node.attribute[0].t)
            graph.initializer[-1].name = node.output[0]
        graph.node.remove(node)
    short = {"picture": "picture", "digits": "digits"}
    for node in graph.node:
        parts = [p for p in (node.name or node.op_type).split("/") if p]
        parts = [p for p, q in zip(parts, parts[1:] + [""]) if not q.startswith(p + ".")]
        node.name = "/".join(parts).replace("body.0.0", "look").replace("body.0.2", "look").replace("body.1.0", "mix")
        node.doc_string = ""
        short.setdefault(node.output[0], node.name)
        for i, name in enumerate(node.input):
            name = same.get(name, name)
            if name not in short:
                short[name] = node.name + {"Reshape": "/shape", "Add": "/bias"}.get(node.op_type, ("", "/weight", "/bias")[i])
            node.input[i] = short[name]
        node.output[0] = short[node.output[0]]
    for tensor in graph.initializer:
        tensor.name = short[tensor.name]
    del graph.value_info[:]
    graph.name, graph.doc_string = "meter", ""
    model.producer_name, model.producer_version = "joule tools/demo/train.py", ""
    model.doc_string = "Reads the number on a picture of a whole utility meter."
    for key, value in facts.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    assert len({n.name for n in graph.node}) == len(graph.node)
    onnx.checker.check_model(onnx.shape_inference.infer_shapes(model, strict_mode=True))
    onnx.save(model, path)


FACTS = {
    "description": "Reader of utility meters (water, gas, electricity): a picture of the whole meter in, "
                   "the number out. Trained on drawn pictures only; see meter.md.",
    "license": "MIT",
    "joule.task": "meter",
    "joule.labels": ",".join("0123456789") + ",",
    "joule.places": ",".join(str(WHOLE - 1 - i) for i in range(PLACES)),
    "joule.run": "--size %dx%d --fit letterbox --divide 255" % (WIDTH, HEIGHT),
    "joule.preprocess": "RGB, %d x %d, value/255, NCHW" % (WIDTH, HEIGHT),
    "joule.postprocess": "place i holds the digit worth 10^(%d-i); the last class means no wheel" % (WHOLE - 1),
}


# ---------------------------------------------------------------- the report

def macs(net):
    """Multiplications of one picture, and the network's parameters."""
    total = []

    def count(module, _, out):
        per = module.weight[0].numel() if isinstance(module, nn.Conv2d) else module.in_features
        total.append(out.numel() * per)
    hooks = [m.register_forward_hook(count) for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    net(torch.zeros(1, 3, HEIGHT, WIDTH))
    for hook in hooks:
        hook.remove()
    return sum(total) + 2 * PLACES * ROWS * COLS * net.value.out_channels // 2, sum(p.numel() for p in net.parameters())


def samples(net, out):
    """The first held-out picture of each kind from SAMPLE_SEED, then the first with three wheels in motion."""
    chosen, index, kinds = [], 0, list(render.KINDS[:3])
    while len(chosen) < SAMPLES:
        picture, facts = render.render(SAMPLE_SEED, index, True, 2 * WIDTH)
        stand = facts["stand"]
        clear = stand is None or abs(stand - (1 - render.SETTLE)) >= DOUBT
        if clear and (facts["kind"] in kinds or not kinds and sum(facts["moving"]) >= 3):
            kinds = [k for k in kinds if k != facts["kind"]]
            chosen.append((index, picture, facts))
        index += 1
    lines, rows = ["file\treading\tkind\tindex\n"], ""
    for k, (index, picture, facts) in enumerate(chosen):
        name = "meter-%d.jpg" % (k + 1)
        picture.save(os.path.join(out, name), quality=82, optimize=True)
        truth = render.number(facts["label"])
        lines.append("%s\t%s\t%s\t%d\n" % (name, truth, facts["kind"], index))
        small = Image.open(os.path.join(out, name)).convert("RGB").reduce(2)
        with torch.no_grad():
            chance = net(torch.from_numpy(np.array(small)).permute(2, 0, 1)[None].float() / 255)[0].numpy()
        answer = render.number(list(chance.argmax(-1)))
        rows += "| %s | %s | %s | %s | %.3f |\n" % (name, facts["kind"], truth, answer, chance.max(-1).min())
    with open(os.path.join(out, "samples.tsv"), "w") as f:
        f.writelines(lines)
    return rows


def fonts(table):
    return ", ".join("%s (%d)" % (package, len(faces)) for package, faces in table.items())


def names(table):
    return ", ".join((f[0] if isinstance(f, tuple) else f).__name__ for f in table)


def report(net, held, known, train_count, steps, seconds, path):
    s, t = Score(held, answers(net, held)), Score(known, answers(net, known))
    work, size = macs(net)
    kinds = {k: i for i, k in enumerate(render.KINDS)}
    wheels = s.there.sum(1)
    moving = s.data["moving"]
    empty = s.data["kind"] == kinds["none"]
    text = f"""<!-- SPDX-License-Identifier: MIT -->
<!-- Written by train.py: every figure below was measured by it. -->
# The meter reader

`meter.onnx` takes a picture of a whole water, gas or electricity meter and
gives the number on its counter. It is joule's own: {size:,} parameters,
{work / 1e6:.0f} million multiplications a picture, made by `train.py` from
pictures drawn by `render.py`.

**No photographs were used**, neither for training nor for the figures below.
Every picture is a drawing, so the figures say how well the network reads
drawings made with fonts and surfaces it never saw. How well it reads your
meter is not measured here.

## Contract

| | |
|---|---|
| input | `picture`, float32 [1, 3, {HEIGHT}, {WIDTH}]: RGB, value / 255. Scale pictures of another size; crop or pad to 4:3 rather than squeeze |
| output | `digits`, float32 [1, {PLACES}, 11]: a probability for each class of each place |
| places | place i holds the digit worth 10^({WHOLE - 1}-i): {WHOLE} whole places, {DECIMALS} decimals (the wheels marked red) |
| classes | 0 to 9; 10 means that the meter has no wheel there |
| rule | a wheel reads as the digit it is leaving until the next stands within a tenth of its rest position |

The number is the most probable class of each place, leaving out class 10,
with a point before the decimals. All places in class 10: no meter was found.

## Pictures

Round water meters in a pipe, electricity meters and gas meters; 4 to 6 whole
wheels and up to 3 decimals, marked by red wheels, red digits or a red frame.
The wheels roll as in a counter: the last smoothly, each other one while its
right neighbour passes from 9 to 0. Turned by up to 12 degrees, seen from
aside, lit unevenly, with shadow, glare, dirt, scratches, blur, shake, sensor
noise and JPEG artefacts; a digit is at least about 15 pixels apart from the
next. About 3 % show no meter.

| | trained on ({train_count:,} pictures) | held out ({len(s.label):,} pictures) |
|---|---|---|
| fonts (faces) | {fonts(render.FONTS)} | {fonts(render.HELD_FONTS)} |
| walls | {names(render.WALLS)} | {names(render.HELD_WALLS)} |
| bodies | {names(render.BODIES)} | {names(render.HELD_BODIES)} |
| faces | {names(render.FACES)} | {names(render.HELD_FACES)} |

A held-out picture has its digits, its printing, its wall, its body and its
face all from the right column. fonts-urw-base35 stands on both sides with
different families (held out: C059).

## Accuracy

On held-out pictures, with 95 % Wilson intervals. A meter counts as right
when every place is, so also the number of wheels and the decimal point. When
the last wheel stands within {DOUBT} of the changeover between two readings,
both are defensible; such stands are kept apart.

| meters | digits right | meters right |
|---|---|---|
"""
    text += s.row("**all but doubtful stands**", s.clear)
    text += s.row("all", s.meter)
    text += s.row("doubtful stands only", s.meter & ~s.clear)
    text += s.row("no wheel in motion", s.clear & (s.movers == 0))
    text += s.row("one wheel in motion", s.clear & (s.movers == 1))
    text += s.row("several wheels in motion", s.clear & (s.movers > 1))
    for kind in render.KINDS[:3]:
        text += s.row(kind, s.clear & (s.data["kind"] == kinds[kind]))
    text += s.row("4 to 6 wheels", s.clear & (wheels <= 6))
    text += s.row("7 to 9 wheels", s.clear & (wheels > 6))
    for face in sorted(set(s.data["font"]) - {""}):
        text += s.row("digits in " + face, s.clear & (s.data["font"] == face))
    text += t.row("for comparison: fonts and surfaces of the training, new pictures", t.clear)
    sure = s.clear & (s.sure >= 0.9)
    text += f"""
The first row and the rows from "no wheel" on leave doubtful stands out.

- Single digits on clear meters: wheel at rest {s.digits(s.clear, ~moving)},
  wheel in motion {s.digits(s.clear, moving)}.
- Wrong digits of wheels at rest, commonest first (true as read): {s.confusions()}.
- A wheel too many or too few: {s.layout()} meters.
- The least probability over the places is a useful doubt: {100 * sure.sum() / s.clear.sum():.1f} % of
  the clear meters have 0.9 or more, and of these {s.meters(sure)} are right.
- Pictures without a meter answered with no digit: {s.meters(empty)}.

## Samples

Drawn from the held-out half with seed {SAMPLE_SEED}, chosen for its looks before the
network existed: the first clear meter of each kind, then the first with three
wheels in motion. Read after halving to {WIDTH} x {HEIGHT}.

| file | kind | true | read | least probability |
|---|---|---|---|---|
{samples(net, os.path.dirname(path))}
## Make it again

    apt install python3-torch python3-onnx python3-pil python3-numpy \\
        {' '.join(sorted(set(render.FONTS) | set(render.HELD_FONTS)))}
    ./train.py

The fonts and the seeds fix the pictures; {steps:,} steps then took
{seconds / 60:.0f} minutes with {torch.get_num_threads()} thread(s) on a shared machine ({platform.machine()}, torch {torch.__version__}).
Another processor or torch rounds differently and gives a slightly different file.
"""
    with open(path, "w") as f:
        f.write(text.replace("\\\\", "\\"))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--count", type=int, default=32000)
    p.add_argument("--epochs", type=int, default=3)
    p.add_argument("--tests", type=int, default=3000)
    p.add_argument("--cache", default=os.path.join(HERE, "cache"))
    p.add_argument("--out", default=HERE)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--draw-only", action="store_true")
    p.add_argument("--untrained", action="store_true", help="only write an untrained meter.onnx")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    if a.untrained:
        torch.manual_seed(1)
        export(Reader(), os.path.join(a.out, "meter.onnx"), FACTS)
        return
    held = pictures(a.cache, TEST, a.tests, True, a.threads)
    data = pictures(a.cache, TRAIN, a.count, False, a.threads)
    known = pictures(a.cache, KNOWN, 1000, False, a.threads)
    if a.draw_only:
        return

    def keep(net):
        torch.save(net.state_dict(), os.path.join(a.cache, "meter.pt"))
        export(net, os.path.join(a.out, "meter.onnx"), FACTS)
    net, steps, seconds = train(data, a.epochs, keep)
    net = net.to(memory_format=torch.contiguous_format)
    keep(net)
    report(net, held, known, a.count, steps, seconds, os.path.join(a.out, "meter.md"))


if __name__ == "__main__":
    main()
