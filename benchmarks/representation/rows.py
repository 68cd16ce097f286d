"""What is compared: representations, objectives and samplers, each as settings of `gaussiandiffusion train`."""

from __future__ import annotations

from benchmarks.shared.sampling import Sampling


def template(splats: int, *more: str) -> tuple[str, ...]:
    """Settings of canonical sets, whose template is learned when it is missing."""
    name = f"mnist-{splats}{'-signed' if '--signed' in more else ''}.safetensors"
    return ("--splats", str(splats), "--start", f"template:{name}", *more)


BASE = ("--network", "small", *template(48))
UNORDERED = ("--start", "random", "--per-slot", "False")

Rows = dict[str, tuple[str, tuple[str, ...]]]  # name: (title, settings that come after BASE)

REPRESENTATION: Rows = {
    "template-48": ("canonical, from a template", ()),
    "template-24": ("canonical, K = 24", template(24)),
    "template-32": ("canonical, K = 32", template(32)),
    "template-64": ("canonical, K = 64", template(64)),
    "template-96": ("canonical, K = 96", template(96)),
    "template-48-signed": ("canonical, signed colours", template(48, "--signed", "True")),
    "template-48-short": ("canonical, 50 encoder steps", ("--iterations", "50")),
    "hilbert": ("Hilbert order, slots", ("--start", "hilbert")),
    "grid": ("grid, slots", ("--start", "grid")),
    "random": ("random start, unordered", UNORDERED),
    "random-optimal": ("random start, unordered, optimal coupling", (*UNORDERED, "--coupling", "optimal")),
    "random-hybrid": ("random start, unordered, hybrid coupling", (*UNORDERED, "--coupling", "hybrid")),
}
VELOCITY = ("--prediction", "v_prediction", "--scheduler", "dpm++")
OBJECTIVE: Rows = {
    "v": ("v, cosine betas", VELOCITY),
    "epsilon": ("epsilon, cosine betas", ("--prediction", "epsilon", "--scheduler", "dpm++")),
    "edm": ("EDM", (*VELOCITY, "--times", "logit_normal", "--logit-mean", "-1.2", "--logit-std", "1.2")),
    "unrendered": ("flow, no rendered loss", ("--render-weight", "0.0")),
    "rendered-always": ("flow, rendered loss at all times", ("--render-below", "1.0")),
}
# Ten passes each, so that all samplers cost alike; those that a model cannot take are left out.
SAMPLINGS = (
    *(Sampling(name, 10) for name in ("few-step", "euler", "dpm++", "unipc", "ddim")),
    *(Sampling(name, 5, 1.5) for name in ("few-step", "euler", "dpm++", "unipc", "ddim")),
    Sampling("heun", 5),
    Sampling("few-step", 7, 1.5, 0.3, 0.8),
)


def merged(*settings: tuple[str, ...]) -> tuple[str, ...]:
    """Flags and values, the last of each flag: templates that are not used need not be learned."""
    values = {name: value for part in settings for name, value in zip(part[::2], part[1::2], strict=True)}
    return tuple(word for pair in values.items() for word in pair)


def first_sampler(name: str) -> str:
    """What a row is sampled with before anything else: few-step, or dpm++ for what is no flow."""
    return "dpm++" if "--prediction" in (REPRESENTATION | OBJECTIVE)[name][1] else "few-step"


def possible_samplings(name: str) -> list[Sampling]:
    """Those that the row's model can take."""
    kinds = ("ddim", "dpm++", "unipc")
    if first_sampler(name) == "few-step":
        kinds = ("few-step", "euler", "heun", "dpm++", "unipc")
    return [sampling for sampling in SAMPLINGS if sampling.scheduler in kinds]
