// SPDX-License-Identifier: Apache-2.0
#include "report/text.h"

#include <fmt/format.h>

#include <cctype>
#include <cmath>

#include "core/json.h"

namespace lockstep {

std::string escape_markup(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char letter : text) switch (letter) {
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '&':
        escaped += "&amp;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        // Control characters are no characters of XML.
        if (static_cast<unsigned char>(letter) >= 0x20 || letter == '\n' || letter == '\t') escaped += letter;
    }
  return escaped;
}

std::string id_text(std::string_view text) {
  std::string id(text);
  for (char& letter : id)
    if (!std::isalnum(static_cast<unsigned char>(letter)) && letter != '_') letter = '-';
  return id;
}

std::string escape_link(std::string_view path) {
  std::string link = "./";
  for (const char letter : path) {
    const bool is_plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                          (letter >= '0' && letter <= '9') ||
                          std::string_view("-._~/").find(letter) != std::string_view::npos;
    link += is_plain ? std::string(1, letter) : fmt::format("%{:02X}", static_cast<unsigned char>(letter));
  }
  return link;
}

std::string json_text(std::string_view text) {
  // Everything beyond ASCII becomes \u…, among it U+2028 and U+2029.
  const std::string dumped = Json(std::string(text)).dump(-1, ' ', true, Json::error_handler_t::replace);
  std::string escaped;
  for (const char letter : dumped) {
    if (letter == '<' || letter == '>' || letter == '&')
      escaped += fmt::format("\\u{:04x}", static_cast<int>(letter));
    else
      escaped += letter;
  }
  return escaped;
}

std::string exact_number(double value) {
  if (!std::isfinite(value)) return "null";
  return fmt::format("{}", value);
}

std::string place_number(double value) {
  if (!std::isfinite(value)) return "null";
  if (value == std::floor(value) && std::abs(value) < 1e15)
    return std::to_string(static_cast<long long>(value));
  return fmt::format("{:.7g}", value);
}

namespace {

std::string with_commas(double whole) {
  std::string digits = fmt::format("{:.0f}", std::abs(whole));
  for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > 0; place -= 3)
    digits.insert(static_cast<std::size_t>(place), ",");
  return (whole < 0 ? "-" : "") + digits;
}

}  // namespace

std::string plain_number(double value) {
  if (!std::isfinite(value)) return "–";
  const double size = std::abs(value);
  if (size >= 1000 && size < 1e15) return with_commas(std::round(value));
  if (value == std::floor(value) && size < 1000) return fmt::format("{:.0f}", value);
  return fmt::format("{:.3g}", value);
}

namespace {

// "1e-5", "2.5e18": as JavaScript writes it.
std::string power_text(double value) {
  const std::string digits = fmt::format("{:.2e}", value);
  const auto e = digits.find('e');
  std::string factor = digits.substr(0, e);
  factor.erase(factor.find_last_not_of('0') + 1);
  if (factor.back() == '.') factor.pop_back();
  return factor + "e" + std::to_string(std::stoi(digits.substr(e + 1)));
}

}  // namespace

std::string tick_text(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size >= 1e15 || size < 9.999e-4) return power_text(value);
  constexpr struct {
    double size;
    const char* letter;
  } kUnits[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
  for (const auto& unit : kUnits)
    if (size >= 0.99999 * unit.size && size >= 9999)
      return fmt::format("{:.4g}{}", value / unit.size, unit.letter);
  return fmt::format("{:.4g}", value);
}

std::string seconds_text(double seconds) {
  if (!std::isfinite(seconds)) return "–";
  if (seconds < 0.1) return fmt::format("{:.3g} ms", seconds * 1e3);
  if (seconds < 100) return fmt::format("{:.3g} s", seconds);
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 3600 && whole % 60 == 0) return fmt::format("{} min", whole / 60);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string share_text(double share) {
  if (!std::isfinite(share)) return "–";
  return fmt::format("{:.{}f} %", 100 * share, std::abs(share) < 0.0995 && share != 0 ? 1 : 0);
}

std::string count_text(double count, const std::string& singular) {
  return plain_number(count) + " " + singular + (count == 1 ? "" : "s");
}

}  // namespace lockstep
