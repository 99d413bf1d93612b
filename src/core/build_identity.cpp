// SPDX-License-Identifier: Apache-2.0
#include "core/build_identity.h"

#include <elf.h>
#include <link.h>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace lockstep {

namespace {

constexpr std::size_t kAlignment = 4;

std::size_t padded(std::size_t size) {
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

std::string hex(const char* bytes, std::size_t count) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

/// The build ID among the notes of a segment; "" if it is not there.
std::string build_id(const char* notes, std::size_t size) {
  for (std::size_t at = 0; at + sizeof(ElfW(Nhdr)) <= size;) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes + at, sizeof note);
    const std::size_t name = at + sizeof note, content = name + padded(note.n_namesz);
    if (content + note.n_descsz > size) return "";
    if (note.n_type == NT_GNU_BUILD_ID && std::string_view(notes + name, note.n_namesz).starts_with("GNU"))
      return hex(notes + content, note.n_descsz);
    at = content + padded(note.n_descsz);
  }
  return "";
}

bool holds(const dl_phdr_info& file, ElfW(Addr) address) {
  for (std::size_t i = 0; i < file.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = file.dlpi_phdr[i];
    const ElfW(Addr) start = file.dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && address >= start && address < start + segment.p_memsz) return true;
  }
  return false;
}

struct Search {
  ElfW(Addr) here = 0;
  bool is_program = true;  // the first file is
  std::string ids;
};

int look_at(dl_phdr_info* file, std::size_t, void* data) {
  Search& search = *static_cast<Search*>(data);
  if (search.is_program || holds(*file, search.here)) {
    std::string id;
    for (std::size_t i = 0; i < file->dlpi_phnum && id.empty(); ++i)
      if (const ElfW(Phdr)& segment = file->dlpi_phdr[i]; segment.p_type == PT_NOTE)
        id = build_id(reinterpret_cast<const char*>(file->dlpi_addr + segment.p_vaddr), segment.p_memsz);
    search.ids += " " + (id.empty() ? "none" : id);
  }
  search.is_program = false;
  return 0;
}

}  // namespace

std::string build_identity() {
  Search search;
  search.here = reinterpret_cast<ElfW(Addr)>(&build_identity);
  dl_iterate_phdr(look_at, &search);
  return LOCKSTEP_VERSION " " LOCKSTEP_ARCH " " __VERSION__ + search.ids;
}

}  // namespace lockstep
