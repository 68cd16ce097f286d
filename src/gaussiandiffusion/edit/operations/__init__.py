"""Operations on sets, a kind a file: frozen dataclasses whose fields are the keys of `--op NAME:KEY=VALUE,...`."""
