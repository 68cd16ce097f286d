"""Images to splat sets: settings, starts, the fit, templates."""

from gaussiandiffusion.encoding.base import Encoded, Encoder
from gaussiandiffusion.encoding.encoder import FitEncoder, encode, make_encoder
from gaussiandiffusion.encoding.prepare import prepare
from gaussiandiffusion.encoding.settings import EncoderSettings, default_settings
from gaussiandiffusion.encoding.template import learn_template

__all__ = [
    "Encoded",
    "Encoder",
    "EncoderSettings",
    "FitEncoder",
    "default_settings",
    "encode",
    "learn_template",
    "make_encoder",
    "prepare",
]
