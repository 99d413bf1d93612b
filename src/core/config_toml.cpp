// SPDX-License-Identifier: Apache-2.0
#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/option_text.h"
#include "core/setting.h"
#include "lockstep/core/error.h"

namespace lockstep {
namespace {

constexpr std::size_t kLongestLine = 8192;
constexpr std::uintmax_t kLargestFile = 1 << 20;
/// toml++ builds and frees nested tables by recursion. It bounds the depth of lists and inline tables, but
/// not that of the dotted keys in them.
constexpr int kMostDots = 32;

std::string place(const std::string& path, const toml::source_position& position) {
  return path + ":" + std::to_string(position.line) + ":" + std::to_string(position.column);
}

[[noreturn]] void fail(const std::string& message) {
  throw Error(ExitCode::kConfig, message);
}

/// Dots between a delimiter and the '=' or ']' that ends a key. Strings may count as keys: those with so many
/// dots and such an end are no values of ours.
void check_depth(const std::string& path, const std::string& text) {
  int dots = 0;
  std::size_t line = 1;
  for (const char c : text) {
    if (c == '.') ++dots;
    if ((c == '=' || c == ']') && dots > kMostDots)
      fail(path + ":" + std::to_string(line) + ": a key of more than " + std::to_string(kMostDots) +
           " parts");
    if (c == '\n') ++line;
    if (c == '=' || c == ',' || c == '{' || c == '[' || c == ']' || c == '\n') dots = 0;
  }
}

void check_text(const std::string& path, const std::string& text) {
  if (text.size() > kLargestFile) fail(path + ": larger than 1 MiB; is this a config file?");
  check_depth(path, text);
  std::size_t line = 1, begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] != '\n') continue;
    if (i - begin > kLongestLine)
      fail(path + ":" + std::to_string(line) + ": a line longer than " + std::to_string(kLongestLine) +
           " bytes");
    begin = i + 1;
    ++line;
  }
}

std::string read_text(const std::string& path) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::string text;
  while (stream && text.size() <= kLargestFile) {
    const std::size_t size = text.size(), more = size == 0 ? 4096 : kLargestFile + 1 - size;
    text.resize(size + more);
    stream.read(text.data() + size, static_cast<std::streamsize>(more));
    text.resize(size + static_cast<std::size_t>(stream.gcount()));
  }
  if (stream.bad() || !stream.is_open() || (stream.fail() && !stream.eof()))
    fail("cannot read config file " + path + ": " + std::strerror(errno));
  return text;
}

std::string nth_line(const std::string& text, std::size_t number) {
  std::istringstream stream(text);
  std::string line;
  for (std::size_t i = 0; i < number; ++i)
    if (!std::getline(stream, line)) return "";
  if (!line.empty() && line.back() == '\r') line.pop_back();
  std::replace(line.begin(), line.end(), '\t', ' ');
  return line.substr(0, 100);
}

/// Whether a value starts like a word; true and false would have been read.
bool looks_unquoted(const std::string& line) {
  const std::size_t equals = line.find('=');
  const std::size_t value = equals == std::string::npos ? equals : line.find_first_not_of(" [", equals + 1);
  return value != std::string::npos && (std::isalpha(static_cast<unsigned char>(line[value])) != 0 ||
                                        line[value] == '/' || line[value] == '.');
}

[[noreturn]] void throw_syntax_error(const toml::parse_error& error, const std::string& path,
                                     const std::string& text) {
  const toml::source_position position = error.source().begin;
  std::string what(error.description());
  const bool is_duplicate = what.find("redefine existing") != std::string::npos;
  if (what.starts_with("Error while ")) what = what.substr(std::strlen("Error while "));
  if (is_duplicate) what = "duplicate key: " + what.substr(what.find("cannot"));
  const std::string line = nth_line(text, position.line);
  std::string message = place(path, position) + ": " + (is_duplicate ? "" : "not valid TOML: ") + what;
  if (!is_duplicate && looks_unquoted(line)) message += "; strings need quotes";
  if (!line.empty()) message += "\n  " + line;
  if (!line.empty() && position.column <= line.size() + 1)
    message += "\n  " + std::string(position.column - 1, ' ') + '^';
  fail(message);
}

/// A key with its value, before types are checked.
struct Leaf {
  std::string key;
  const toml::node* node;
  toml::source_position key_position;
};

void flatten(const toml::table& table, const std::string& prefix, std::vector<Leaf>* leaves) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    const toml::table* inner = node.as_table();
    if (inner != nullptr && !inner->empty())
      flatten(*inner, key + ".", leaves);
    else
      leaves->push_back({key, &node, name.source().begin});
  }
}

/// The value as it would be written in --set; for messages, and for options declared as texts that take
/// numbers ("full" or 128).
std::string word_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return std::to_string(integer->get());
  if (const auto* real = node.as_floating_point()) return to_literal(real->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  return node.is_table() ? "a table" : node.is_array() ? "a list" : "a date or time";
}

bool suits(const toml::node& node, std::size_t element_type) {
  const bool is_finite = !node.is_floating_point() || std::isfinite(node.as_floating_point()->get());
  switch (element_type) {
    case 0:
      return node.is_boolean();
    case 1:
      return node.is_integer();
    case 2:
      return node.is_number() && is_finite;
    default:
      return node.is_string() || (node.is_number() && is_finite);
  }
}

/// Position of flag, integer, real, text in OptionValue, for the elements of a list too.
std::size_t element_type(const OptionValue& value) {
  return value.index() > 3 ? value.index() - 3 : value.index();
}

[[noreturn]] void throw_wrong_type(const OptionSpec& spec, const toml::node& node, const std::string& path) {
  const std::string shown = node.is_string() ? to_literal(word_of(node)) : word_of(node);
  fail(place(path, node.source().begin) + ": " + spec.key + " is " + shown + "; expected " +
       expectation(spec));
}

Setting check_leaf(const OptionTable& table, const Leaf& leaf, const std::string& path) {
  const OptionSpec* spec = table.find(leaf.key);
  if (spec == nullptr) throw_unknown_key(table, leaf.key, place(path, leaf.key_position));
  const std::size_t type = element_type(spec->default_value);
  Setting setting{leaf.key, {}, place(path, leaf.node->source().begin)};
  const toml::array* list = leaf.node->as_array();
  if (is_list(spec->default_value) != (list != nullptr)) throw_wrong_type(*spec, *leaf.node, path);
  if (list == nullptr) {
    if (!suits(*leaf.node, type)) throw_wrong_type(*spec, *leaf.node, path);
    setting.words.push_back(word_of(*leaf.node));
    return setting;
  }
  for (const toml::node& element : *list) {
    if (!suits(element, type)) throw_wrong_type(*spec, element, path);
    setting.words.push_back(word_of(element));
  }
  return setting;
}

/// The list of texts that takes "KEY = A | B" for every key of a table: study.vary.
const OptionSpec* find_list_of_table(const OptionTable& table, const std::string& key) {
  for (const OptionSpec& spec : table.specs())
    if (spec.key.ends_with(".vary") && (key == spec.key || key.starts_with(spec.key + "."))) return &spec;
  return nullptr;
}

std::string alternatives_text(const toml::node& node, const std::string& where) {
  const toml::array* list = node.as_array();
  if (list == nullptr || list->empty()) fail(where + R"( takes a list of values, such as ["sgd", "adam"])");
  std::string text;
  for (const toml::node& element : *list) {
    std::string word = word_of(element);
    if (const toml::array* inner = element.as_array()) {
      word.clear();
      for (const toml::node& part : *inner) word += (word.empty() ? "" : ",") + word_of(part);
    }
    text += (text.empty() ? "" : " | ") + word;
  }
  return text;
}

/// The files a file builds on, taken out of its table.
std::vector<std::string> take_bases(toml::table* root, const std::string& path) {
  const toml::node* node = root->get("extends");
  if (node == nullptr) return {};
  const std::string where = place(path, node->source().begin) + ": extends ";
  std::vector<std::string> bases;
  const toml::array* list = node->as_array();
  if (list == nullptr) fail(where + R"(takes a list of files, such as ["base.toml"])");
  for (const toml::node& element : *list) {
    if (!element.is_string()) fail(where + R"(takes a list of files, such as ["base.toml"])");
    const std::filesystem::path base = std::filesystem::path(path).parent_path() / element.as_string()->get();
    if (!std::filesystem::exists(base)) fail(where + base.string() + ", which does not exist");
    bases.push_back(base.string());
  }
  root->erase("extends");
  return bases;
}

class TomlReader {
 public:
  explicit TomlReader(const OptionTable& table) : table_(table) {}

  void read(const std::string& path) {
    enter(path);
    parse(read_text(path), path);
    open_.pop_back();
  }

  void parse(const std::string& text, const std::string& path) {
    check_text(path, text);
    try {
      toml::table root = toml::parse(std::string_view(text), std::string_view(path));
      if (open_.empty() && root.contains("extends")) fail(path + ": extends a file, and is none itself");
      for (const std::string& base : take_bases(&root, path)) read(base);
      add(root, path);
    } catch (const toml::parse_error& error) {
      throw_syntax_error(error, path, text);
    }
  }

  std::vector<Setting> settings;

 private:
  void enter(const std::string& path) {
    std::string real = std::filesystem::weakly_canonical(path).string();
    if (std::find(open_.begin(), open_.end(), real) != open_.end())
      fail(path + " extends itself: " + join(open_) + ", " + real);
    open_.push_back(std::move(real));
  }

  void add(const toml::table& root, const std::string& path) {
    std::vector<Leaf> leaves;
    flatten(root, "", &leaves);
    std::sort(leaves.begin(), leaves.end(), [](const Leaf& a, const Leaf& b) {
      return std::pair(a.key_position.line, a.key_position.column) <
             std::pair(b.key_position.line, b.key_position.column);
    });
    for (const Leaf& leaf : leaves) {
      const bool is_empty_table = leaf.node->is_table() && has_table(leaf.key);
      const OptionSpec* spec = find_list_of_table(table_, leaf.key);
      if (spec != nullptr && (leaf.key != spec->key || leaf.node->is_table()))
        add_to_list(*spec, leaf, path);
      else if (!is_empty_table)
        settings.push_back(check_leaf(table_, leaf, path));
    }
  }

  /// All keys of the table make one list.
  void add_to_list(const OptionSpec& spec, const Leaf& leaf, const std::string& path) {
    const std::string where = place(path, leaf.key_position);
    auto list = std::find_if(settings.begin(), settings.end(), [&](const Setting& one) {
      return one.key == spec.key && one.origin.starts_with(path + ":");
    });
    if (list == settings.end()) list = settings.insert(settings.end(), {spec.key, {}, where});
    if (leaf.key == spec.key) return;
    const std::string key = leaf.key.substr(spec.key.size() + 1);
    list->words.push_back(key + " = " + alternatives_text(*leaf.node, where + ": " + leaf.key));
  }

  bool has_table(const std::string& name) const {
    return std::any_of(table_.specs().begin(), table_.specs().end(),
                       [&](const OptionSpec& spec) { return spec.key.starts_with(name + "."); });
  }

  const OptionTable& table_;
  std::vector<std::string> open_;
};

}  // namespace

std::vector<Setting> read_toml(const OptionTable& table, const std::string& path) {
  TomlReader reader(table);
  reader.read(path);
  return std::move(reader.settings);
}

std::vector<Setting> parse_toml(const OptionTable& table, const std::string& text, const std::string& name) {
  TomlReader reader(table);
  reader.parse(text, name);
  return std::move(reader.settings);
}

}  // namespace lockstep
