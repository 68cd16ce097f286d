"""Images to splat sets: settings, starts, the fit, templates."""

from gaussiandiffusion.encoding.encoder import Encoded, Encoder, encode, make_encoder
from gaussiandiffusion.encoding.settings import EncoderSettings, default_settings
from gaussiandiffusion.encoding.template import learn_template

__all__ = [
    "Encoded",
    "Encoder",
    "EncoderSettings",
    "default_settings",
    "encode",
    "learn_template",
    "make_encoder",
]
