"""`abreast.toml`, however an editor has saved it."""

from pathlib import Path

from abreast.engine.client.delegating import load_settings


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf[delegate]\r\nlimit_tokens = 700\r\n"
    (tmp_path / "abreast.toml").write_bytes(content)
    assert load_settings(tmp_path).limit_tokens == 700
