"""The card of a trained classifier, from its record alone."""

from __future__ import annotations

from typing import Any

CREDITS = {
    "sprites": """
## The pictures

Frames composed from the sheets of the Liberated Pixel Cup, as Li and Mandt, "Disentangled Sequential Autoencoder",
ICML 2018, collected them (https://github.com/YingzhenLi/Sprites). The art is under CC BY-SA 3.0 and GPL 3.0; its
artists are credited in AUTHORS.txt of https://github.com/jrconway3/Universal-LPC-spritesheet, among them Stephen
Challener (Redshrike), Johannes Sjölund (wulax), Matthew Krohn (makrohn), Nila122 and Joe White. No picture is in this
folder.
""",
    "cifar10": """
## The pictures

CIFAR-10: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. The authors give no licence
and ask for this citation; rights in single photographs are not cleared. No picture is in this folder.
""",
}


def model_card(record: dict[str, Any]) -> str:
    """What the folder of a trained classifier says of itself."""
    name, config = record["data"]["name"], record["config"]
    count, accuracy = f"{record['test_images']:,}", f"{100 * record['test_accuracy']:.2f} %"
    effort = f"{record['train_images']:,} images, {config['epochs']} epochs"
    machine = f"{record['machine']}, {record['threads']} thread(s)"
    return f"""---
library_name: gaussiandiffusion
license: apache-2.0
---
# Features of {name}

A small convolutional classifier of {name}, the ruler of this package's Fréchet distances on that data:
features are its {record["feature_layer"]} layer ({record["feature_dimension"]} numbers, rectified).

| | |
| --- | --- |
| Test accuracy | {accuracy} of {count} images{_attributes(record)}, with these bfloat16 weights |
{_lookalikes(record)}| Parameters | {record["parameters"]:,} |
| Trained on | {effort}; {record["seconds"] / 60:.1f} minutes on a {machine} |
| Seed | {config["seed"]} |
| Chosen by | a fixed schedule: the last averaged weights; the test split was measured once, after |

```
{record["command"]}
```

Distances measured with it compare only with distances measured with the same file. A classifier's features
tell classes and strokes apart and may say little of faint noise; look at samples too.
{CREDITS.get(name, "")}"""


def _attributes(record: dict[str, Any]) -> str:
    """Of several attributes, each one's share."""
    each = record.get("attribute_accuracy", {})
    if len(each) < 2:
        return ""
    return f" in all attributes ({', '.join(f'{name} {100 * share:.2f} %' for name, share in each.items())})"


def _lookalikes(record: dict[str, Any]) -> str:
    alike = record.get("lookalikes", {})
    rows = [
        f"| Cannot be told | {name} of {shown['images']:,} test images: another {name} gives the same picture or one "
        f"that differs by less than {shown['psnr']:.0f} dB ({shown['same']:,} are the same); of the others "
        f"{100 * shown['accuracy_elsewhere']:.2f} % are told rightly |\n"
        for name, shown in alike.items()
    ]
    return "".join(rows)
