// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace lockstep {

/// Text that stands in HTML or SVG, between tags or in a quoted attribute.
std::string escape_markup(std::string_view text);

/// An id: letters, digits and dashes; everything else becomes a dash.
std::string id_text(std::string_view text);

/// A relative link to a file: "./" in front, everything but plain letters as %XX, so that no name can be a
/// scheme or end an attribute.
std::string escape_link(std::string_view path);

/// A JSON string that may stand inside <script>: no "<", no line separator of JavaScript, no broken UTF-8.
std::string json_text(std::string_view text);

/// The shortest digits that read back as the same double; "null" where it is not finite.
std::string exact_number(double value);
/// Seven digits that count, for places on an axis of time.
std::string place_number(double value);
/// For sentences: "0.0123", "8.7", "1,234,567", "1.2e-05"; "–" where it is not finite.
std::string plain_number(double value);
/// For the ends of ticks: "0.25", "10k", "2M", "1e-5".
std::string tick_text(double value);
/// "3.2 ms", "0.42 s", "3 min 12 s", "1 h 2 min".
std::string seconds_text(double seconds);
/// "12 %"; under 10 % with one decimal.
std::string share_text(double share);
/// "1 step", "2 steps", "1,170 steps".
std::string count_text(double count, const std::string& singular);

}  // namespace lockstep
