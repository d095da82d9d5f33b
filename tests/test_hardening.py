"""How the extension is hardened, read from its file: what a compiler or a linker quietly leaves out is noticed."""

from pathlib import Path

import pytest

from pynet import _core

elffile = pytest.importorskip("elftools.elf.elffile")


@pytest.fixture(scope="module")
def extension():
    with Path(_core.__file__).open("rb") as file:
        yield elffile.ELFFile(file)


def dynamic_entries(extension, tag):
    return [entry.entry.d_val for entry in extension.get_section_by_name(".dynamic").iter_tags(tag)]


def test_the_stack_cannot_be_executed(extension):
    (stack,) = [segment for segment in extension.iter_segments() if segment.header.p_type == "PT_GNU_STACK"]
    assert not stack.header.p_flags & 1


def test_no_memory_is_both_writable_and_executable(extension):
    flags = [segment.header.p_flags for segment in extension.iter_segments() if segment.header.p_type == "PT_LOAD"]
    assert flags
    assert not any(flag & 1 and flag & 2 for flag in flags)


def test_addresses_are_bound_at_load_and_read_only_after(extension):
    assert any(segment.header.p_type == "PT_GNU_RELRO" for segment in extension.iter_segments())
    bind_now, now = 0x8, 0x1
    assert any(flags & bind_now for flags in dynamic_entries(extension, "DT_FLAGS"))
    assert any(flags & now for flags in dynamic_entries(extension, "DT_FLAGS_1"))


def test_the_stack_is_protected(extension):
    symbols = extension.get_section_by_name(".dynsym").iter_symbols()
    assert "__stack_chk_fail" in {symbol.name for symbol in symbols if symbol.entry.st_shndx == "SHN_UNDEF"}


def test_no_code_is_changed_at_load(extension):
    assert not dynamic_entries(extension, "DT_TEXTREL")


def test_libraries_are_looked_for_beside_the_extension_alone(extension):
    tags = [*extension.get_section_by_name(".dynamic").iter_tags()]
    paths = [tag.rpath if hasattr(tag, "rpath") else tag.runpath for tag in tags if "PATH" in str(tag.entry.d_tag)]
    assert all(path == "$ORIGIN/_vendor" for path in paths)


def test_nothing_but_the_module_is_exported(extension):
    symbols = extension.get_section_by_name(".dynsym").iter_symbols()
    exported = {s.name for s in symbols if s.entry.st_shndx != "SHN_UNDEF" and s.entry.st_info.bind != "STB_LOCAL"}
    assert {name for name in exported if not name.startswith("_Z")} == {"PyInit__core"}
