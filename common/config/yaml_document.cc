// SPDX-License-Identifier: Apache-2.0
#include "common/config/yaml_document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <exception>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/config/quoted.h"

namespace entente {
namespace {

YamlPlace PlaceOf(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {.line = mark.line + 1, .column = mark.column + 1};
}

// How many bytes the UTF-8 character at the start of `text` has; 0 if there is none (RFC 3629).
size_t Utf8Length(absl::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF5   ? 0
                        : first >= 0xF0 ? 4
                        : first >= 0xE0 ? 3
                        : first >= 0xC2 ? 2
                                        : 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool surrogate = first == 0xED && byte(1) >= 0xA0;
  const bool beyond = first == 0xF4 && byte(1) >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
}

absl::Status CheckCharacters(absl::string_view text, absl::string_view file_name) {
  YamlPlace place;
  for (size_t i = 0; i < text.size();) {
    const size_t length = Utf8Length(text.substr(i));
    if (length == 0)
      return MistakeAt(file_name, place, "this is not UTF-8; save the file as UTF-8");
    if (IsControl(text[i])) {
      return MistakeAt(file_name, place,
                       absl::StrCat("there is a control character (byte ",
                                    static_cast<int>(text[i]), ") here; remove it"));
    }
    place.column += 1;
    if (text[i] == '\n') place = {.line = place.line + 1, .column = 1};
    i += length;
  }
  return absl::OkStatus();
}

// Builds the tree from yaml-cpp's events. Refuses by throwing its exception, as its parser does.
class TreeBuilder final : public YAML::EventHandler {
 public:
  YamlNode TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) Refuse(mark, "a second document starts here; there may be only one");
  }
  void OnDocumentEnd() override {}

  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    if (!name.empty()) Refuse(mark, "anchors (&) are not allowed; write the value out");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Refuse(mark, "aliases (*) are not allowed; write the value out");
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    Attach(mark, {.kind = YamlNode::Kind::kNull, .place = PlaceOf(mark)});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    CheckTag(mark, tag);
    for (const char c : value) {
      if (IsControl(c)) Refuse(mark, "there is a control character in this text; remove it");
    }
    Attach(mark, {.kind = YamlNode::Kind::kScalar,
                  .place = PlaceOf(mark),
                  .text = value,
                  .quoted = tag == "!"});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, YamlNode::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, YamlNode::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  [[noreturn]] static void Refuse(const YAML::Mark& mark, const std::string& sentence) {
    throw YAML::ParserException(mark, sentence);
  }

  static void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") {
      Refuse(mark, "tags (!) are not allowed; leave it out");
    }
  }

  void Count(const YAML::Mark& mark) {
    if (++nodes_ > limits::kYamlNodesMax) {
      Refuse(mark, absl::StrCat("the file has over ", WithCommas(limits::kYamlNodesMax),
                                " keys and values"));
    }
  }

  bool ExpectsKey() const {
    return !open_.empty() && open_.back().kind == YamlNode::Kind::kMap &&
           open_.back().keys.size() == open_.back().items.size();
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YamlNode::Kind kind) {
    CheckTag(mark, tag);
    if (ExpectsKey()) Refuse(mark, "a key must be a word, not a list or a mapping");
    Count(mark);
    if (open_.size() >= limits::kYamlDepthMax) {
      Refuse(mark, absl::StrCat("this is nested over ", limits::kYamlDepthMax, " deep"));
    }
    open_.push_back({.kind = kind, .place = PlaceOf(mark)});
  }

  void Close() {
    YamlNode node = std::move(open_.back());
    open_.pop_back();
    if (open_.empty()) {
      root_ = std::move(node);
    } else {
      open_.back().items.push_back(std::move(node));
    }
  }

  void Attach(const YAML::Mark& mark, YamlNode node) {
    Count(mark);
    if (ExpectsKey()) {
      if (node.kind == YamlNode::Kind::kNull) Refuse(mark, "there is a value without its key");
      open_.back().keys.push_back({.text = std::move(node.text), .place = node.place});
    } else if (open_.empty()) {
      root_ = std::move(node);
    } else {
      open_.back().items.push_back(std::move(node));
    }
  }

  std::vector<YamlNode> open_;  // The lists and maps around the place the parser is at.
  YamlNode root_;
  size_t nodes_ = 0;
  int documents_ = 0;
};

}  // namespace

absl::Status MistakeAt(absl::string_view file_name, YamlPlace place, absl::string_view sentence) {
  return absl::InvalidArgumentError(
      absl::StrCat(file_name, ":", place.line, ":", place.column, ": ", sentence));
}

absl::StatusOr<YamlNode> ParseYaml(absl::string_view text, absl::string_view file_name) {
  if (text.size() > limits::kConfigBytesMax) {
    return MistakeAt(file_name, {},
                     absl::StrCat("the text has ", WithCommas(text.size()), " bytes; at most ",
                                  WithCommas(limits::kConfigBytesMax), " are read"));
  }
  ENTENTE_RETURN_IF_ERROR(CheckCharacters(text, file_name));
  TreeBuilder builder;
  try {
    // yaml-cpp takes the end of the text for the end of an open quote, but not the end of a
    // document.
    std::istringstream stream(absl::StrCat(text, absl::EndsWith(text, "\n") ? "" : "\n", "...\n"));
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    return MistakeAt(file_name, PlaceOf(error.mark), error.msg);
  } catch (const std::exception& error) {  // Some broken texts make yaml-cpp throw a standard one.
    return MistakeAt(file_name, {}, absl::StrCat("this is not YAML: ", error.what()));
  }
  return builder.TakeRoot();
}

}  // namespace entente
