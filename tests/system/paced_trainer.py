#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""paced_trainer.py SECONDS [LARGEST]: a trainer whose every training takes so long and hardly any work, so that a
federation can train for an hour on a small machine. Speaks docs/trainer-protocol.md, checkpoints included: its state
is how long it has trained. Its update depends on the base model's shapes and the data set's one number alone; its
numbers lie within LARGEST, 0.01 if not given. Beyond the recipe's value bound it is one that a coordinator refuses.
"""
import array
import json
import os
import random
import struct
import sys
import time

TICK_SECONDS = 0.5
# What it takes to load a framework and the data.
START_SECONDS = 2.0


def say(**message):
    print(json.dumps(message), flush=True)


def write_whole(path, *parts):
    with open(path + ".tmp", "wb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".tmp", path)


def write_update(base_model, path, number, largest):
    with open(base_model, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        shapes = {name: tensor["shape"] for name, tensor in json.loads(file.read(size)).items()}
    chance, header, parts, offset = random.Random(number), {}, [], 0
    for name in sorted(shapes, key=lambda name: name.encode()):
        count = 1
        for extent in shapes[name]:
            count *= extent
        parts.append(array.array("f", [chance.uniform(-largest, largest) for _ in range(count)]).tobytes())
        header[name] = {"dtype": "F32", "shape": shapes[name], "data_offsets": [offset, offset + 4 * count]}
        offset += 4 * count
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    write_whole(path, struct.pack("<Q", len(text)), text, *parts)


def seconds_trained(checkpoint):
    try:
        with open(checkpoint, encoding="ascii") as file:
            return float(file.read())
    except (OSError, ValueError):
        return 0.0


def train(request, seconds, number, largest):
    checkpoint, every = request.get("checkpoint"), request.get("checkpoint_seconds")
    done = seconds_trained(checkpoint) if checkpoint else 0.0
    kept = done
    steps = int(seconds / TICK_SECONDS)
    while done < seconds:
        say(type="progress", task=request["task"], step=int(done / TICK_SECONDS), step_count=steps, loss=1.0)
        began = time.monotonic()
        time.sleep(min(TICK_SECONDS, seconds - done))
        done += time.monotonic() - began
        if checkpoint and done - kept >= every:
            write_whole(checkpoint, str(done).encode())
            kept = done
    write_update(request["base_model"], request["output"], number, largest)
    say(type="update", task=request["task"], output=request["output"], examples=100, training_loss=1.0, steps=steps,
        seconds=done)


def main():
    seconds, number = float(sys.argv[1]), 0
    largest = float(sys.argv[2]) if len(sys.argv) > 2 else 0.01
    say(type="hello", protocol=1, trainer="paced_trainer.py")
    for line in sys.stdin:
        request = json.loads(line)
        if request["type"] == "stop":
            return
        if request["type"] == "prepare":
            time.sleep(START_SECONDS)
            with open(request["dataset"]["directory"] + "/train.csv", encoding="ascii") as file:
                number = int(file.read())
            say(type="prepared", examples=100, held_out_examples=0, device="cpu")
        elif request["type"] == "train":
            train(request, seconds, number, largest)
        else:
            say(type="error", task=request.get("task", ""), message="this trainer only trains; set evaluation.everyRounds: 0")


main()
