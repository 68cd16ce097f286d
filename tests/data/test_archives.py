"""Archives that promise one thing and hold another: refused early, and unpacked no further than needed."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import numpy as np
import pytest

from gaussiandiffusion.data import arrays, cifar, idx, load_images, mapped, open_images, parquet, pictures
from gaussiandiffusion.ground.errors import InputError


def refuses(source, *words: str, **options) -> None:
    with pytest.raises(InputError) as caught:
        load_images(source, **options)
    sentence = str(caught.value)
    assert "\n" not in sentence
    for word in words:
        assert word in sentence


@pytest.fixture
def pictures_zip(tmp_path, make):
    return make.zip(tmp_path / "x.zip", {f"{i}.png": make.picture_bytes(make.noise(8, 8, seed=i)) for i in range(9)})


def test_of_a_zip_only_what_is_asked_for_is_unpacked(pictures_zip, monkeypatch):
    read, whole = [], zipfile.ZipFile.read

    def reading(self, member, *rest):
        read.append(member.filename)
        return whole(self, member, *rest)

    monkeypatch.setattr(zipfile.ZipFile, "read", reading)
    assert len(load_images(pictures_zip, limit=2)) == 2
    assert set(read) == {"0.png", "1.png"}


def test_a_zip_made_to_fill_memory_is_refused_before_it_is_unpacked(tmp_path, make, monkeypatch):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", make.picture_bytes(make.noise(4, 4)))
        archive.writestr("bomb.png", bytes(1 << 20))
    monkeypatch.setattr(pictures, "LARGE_MEMBER", 1 << 16)
    monkeypatch.setattr(zipfile.ZipFile, "read", None)
    refuses(path, "x.zip/bomb.png: unpacks from", "to 1048576 bytes")
    monkeypatch.setattr(pictures, "LARGE_MEMBER", 1 << 30)
    monkeypatch.setattr(pictures, "LARGEST_FILE", 1 << 16)
    refuses(path, "x.zip/bomb.png: unpacks from")


def test_a_zip_member_longer_than_it_promises_is_refused(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", bytes(1 << 20))
    whole = path.read_bytes()
    promised = (1 << 20).to_bytes(4, "little")
    assert whole.count(promised) == 2  # in both headers
    path.write_bytes(whole.replace(promised, (100).to_bytes(4, "little")))
    refuses(path, "x.zip/bomb.png: cannot be read from its zip")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_a_half_downloaded_archive_is_told(tmp_path, pictures_zip, make, share):
    np.savez(tmp_path / "x.npz", images=make.noise(9, 8, 8))
    make.idx(tmp_path / "x-images-idx3-ubyte.gz", make.noise(9, 8, 8))
    for name, words in (
        ("x.zip", "not a sound zip archive, or only a part of one"),
        ("x.npz", "is no sound .npz file"),
        ("x-images-idx3-ubyte.gz", "is cut short"),
    ):
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
        refuses(path, f"{name}: ", words)


def counted(monkeypatch) -> list[int]:
    """Bytes that are unpacked beside memory from now on."""
    written: list[int] = []
    write = mapped._write

    def counting(file, content, where):
        written.append(len(content))
        write(file, content, where)

    monkeypatch.setattr(mapped, "_write", counting)
    for module in (arrays, idx):
        monkeypatch.setattr(module, "HELD", 0)
    monkeypatch.setattr(mapped, "CHUNK", 64)
    return written


def test_of_large_arrays_only_the_first_are_unpacked(tmp_path, make, monkeypatch):
    pixels, labels = make.noise(50, 8, 8), np.arange(50) % 7
    np.savez_compressed(tmp_path / "x.npz", images=pixels, labels=labels)
    make.idx(tmp_path / "x-images-idx3-ubyte.gz", pixels)
    make.idx(tmp_path / "x-labels-idx1-ubyte.gz", labels)
    for name, others in (("x.npz", 0), ("x-images-idx3-ubyte.gz", len(labels))):
        whole = load_images(tmp_path / name)
        with monkeypatch.context() as patch:
            written = counted(patch)
            first = load_images(tmp_path / name, limit=3)
            assert sum(written) == 3 * 64 + others
            assert first.sha256 == whole[:3].sha256
            assert first.conditions.spec == whole.conditions.spec
            assert load_images(tmp_path / name, limit=99).sha256 == whole.sha256
            assert sum(written) >= 53 * 64


def test_one_picture_as_an_array_has_no_first_rows(tmp_path, make, monkeypatch):
    np.savez_compressed(tmp_path / "x.npz", images=make.noise(9, 8))
    counted(monkeypatch)
    assert load_images(tmp_path / "x.npz", limit=1).images.shape == (1, 1, 9, 8)


def test_arrays_made_to_fill_the_disk_are_refused(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "x.npz", images=np.zeros((100, 64, 64), np.uint8))
    (tmp_path / "x-images-idx3-ubyte.gz").write_bytes(
        gzip.compress(bytes.fromhex("00000803 00000064 00000040 00000040") + bytes(100 * 64 * 64))
    )
    written = counted(monkeypatch)
    monkeypatch.setattr(mapped, "HELD", 1 << 16)
    for name in ("x.npz", "x-images-idx3-ubyte.gz"):
        refuses(tmp_path / name, f"{name}: unpacks from", "--limit")
        assert not written
        assert len(load_images(tmp_path / name, limit=2)) == 2
        written.clear()
    monkeypatch.setattr(mapped, "LARGEST_RATIO", 1 << 20)
    usage = mapped.shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(mapped.shutil, "disk_usage", lambda _: usage)
    refuses(tmp_path / "x.npz", "409600 bytes, with room for 1000", "TMPDIR")
    assert not written


def test_a_batch_larger_than_any_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar, "LARGEST_BATCH", 4000)
    with tarfile.open(tmp_path / cifar.ARCHIVE, "w:gz") as archive:
        for name, size in (("data_batch_1.bin", 3073), ("data_batch_2.bin", 5 * 3073)):
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = size
            archive.addfile(member, io.BytesIO(bytes(size)))
    refuses("cifar10", "data_batch_2.bin unpacks to 15365 bytes", data_dir=tmp_path)


def test_a_table_made_to_fill_memory_is_refused(tmp_path, make, monkeypatch):
    pyarrow = pytest.importorskip("pyarrow")  # of an extra
    from pyarrow import parquet as writer

    content = [bytes([i]) * 20_000 for i in range(9)]
    writer.write_table(pyarrow.table({"image": content}), tmp_path / "x.parquet", compression="zstd")
    monkeypatch.setattr(parquet, "HELD", 1 << 16)
    refuses(tmp_path / "x.parquet", "its column 'image' unpacks from", "as no pictures do")
    monkeypatch.setattr(parquet, "LARGEST_RATIO", 1e9)
    with pytest.raises(InputError, match="row 0: is not a picture"):
        open_images(tmp_path / "x.parquet")
