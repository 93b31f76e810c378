#include "cmd/formats/yaml.hpp"

#include <fmt/format.h>
#include <yaml.h>

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <stdexcept>

#include "cmd/formats/draft.hpp"
#include "error.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;

constexpr std::size_t values_max = 200'000;  // aliases of aliases would make any number of them
constexpr int depth_max = 64;

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

json::value plain_scalar(const std::string& text) {
    if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return nullptr;
    if (is_one_of(text, {"true", "True", "TRUE"})) return true;
    if (is_one_of(text, {"false", "False", "FALSE"})) return false;
    // A version such as 1.10 and a leading zero mean their text.
    std::int64_t integer = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), integer);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (whole && std::to_string(integer) == text) return integer;
    return json::string(text);
}

class yaml_fault : public std::runtime_error {
public:
    yaml_fault(std::size_t line_from_0, const std::string& reason)
        : std::runtime_error(fmt::format("line {}: {}", line_from_0 + 1, reason)) {}
};

class yaml_reader {
public:
    explicit yaml_reader(std::string_view bytes) {
        if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
        yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(bytes.data()),
                                     bytes.size());
    }
    ~yaml_reader() {
        yaml_event_delete(&event_);
        yaml_parser_delete(&parser_);
    }
    yaml_reader(const yaml_reader&) = delete;
    yaml_reader& operator=(const yaml_reader&) = delete;

    // The first document; null: there is none.
    json::value document() {
        next();  // the stream's start
        next();
        if (event_.type != YAML_DOCUMENT_START_EVENT) return nullptr;
        next();
        return value(0).content;
    }

private:
    struct counted {
        json::value content;
        std::size_t values = 1;  // in it
    };

    void next() {
        yaml_event_delete(&event_);
        if (yaml_parser_parse(&parser_, &event_) != 0) return;
        const std::size_t line = std::max(parser_.problem_mark.line, parser_.context_mark.line);
        throw yaml_fault(line, parser_.problem != nullptr ? parser_.problem : "it cannot be read");
    }
    [[noreturn]] void fail(const std::string& reason) const {
        throw yaml_fault(event_.start_mark.line, reason);
    }
    static std::string text_of(const unsigned char* bytes, std::size_t size) {
        return {reinterpret_cast<const char*>(bytes), size};
    }
    static std::string name_of(const unsigned char* name) {
        return name != nullptr ? reinterpret_cast<const char*>(name) : std::string();
    }

    // Of the event that has been read; afterwards that of its end has been.
    counted value(int depth) {
        if (depth > depth_max) fail("it is nested too deep");
        switch (event_.type) {
            case YAML_ALIAS_EVENT: {
                const auto known = anchors_.find(name_of(event_.data.alias.anchor));
                if (known == anchors_.end()) fail("it has an alias without an anchor before it");
                add(known->second.values);
                return known->second;
            }
            case YAML_SCALAR_EVENT:
                add(1);
                return anchored(name_of(event_.data.scalar.anchor), {scalar(), 1});
            case YAML_SEQUENCE_START_EVENT:
                add(1);
                return sequence(name_of(event_.data.sequence_start.anchor), depth);
            case YAML_MAPPING_START_EVENT:
                add(1);
                return mapping(name_of(event_.data.mapping_start.anchor), depth);
            default:
                fail("it is not complete");
        }
    }
    void add(std::size_t values) {
        count_ += values;
        if (count_ > values_max) fail("its aliases make it too large");
    }
    counted anchored(const std::string& anchor, counted what) {
        if (!anchor.empty()) anchors_[anchor] = what;
        return what;
    }
    json::value scalar() const {
        const auto& read = event_.data.scalar;
        const std::string text = text_of(read.value, read.length);
        const bool plain = read.style == YAML_PLAIN_SCALAR_STYLE && read.tag == nullptr;
        return plain ? plain_scalar(text) : json::value(json::string(text));
    }
    counted sequence(const std::string& anchor, int depth) {
        counted all{json::array(), 1};
        for (next(); event_.type != YAML_SEQUENCE_END_EVENT; next()) {
            counted item = value(depth + 1);
            all.values += item.values;
            all.content.get_array().push_back(std::move(item.content));
        }
        return anchored(anchor, std::move(all));
    }
    counted mapping(const std::string& anchor, int depth) {
        counted all{json::object(), 1};
        json::object& members = all.content.get_object();
        std::vector<json::value> merged;
        for (next(); event_.type != YAML_MAPPING_END_EVENT; next()) {
            if (event_.type != YAML_SCALAR_EVENT) fail("a key must be a text");
            const std::string key = text_of(event_.data.scalar.value, event_.data.scalar.length);
            if (members.contains(key)) fail(fmt::format("'{}' is there twice", key));
            next();
            counted member = value(depth + 1);
            all.values += member.values;
            if (key == "<<") {
                merged.push_back(std::move(member.content));
            } else {
                members[key] = std::move(member.content);
            }
        }
        for (const auto& other : merged)
            merge(members, other);
        return anchored(anchor, std::move(all));
    }
    // What is merged yields to the members of the map itself, and to what is merged before it.
    static void merge(json::object& members, const json::value& other) {
        if (other.is_array()) {
            for (const auto& item : other.get_array())
                merge(members, item);
        } else if (other.is_object()) {
            for (const auto& member : other.get_object())
                members.insert(member);
        }
    }

    yaml_parser_t parser_{};
    yaml_event_t event_{};
    std::map<std::string, counted, std::less<>> anchors_;
    std::size_t count_ = 0;
};

}  // namespace

json::value parse_yaml_file(std::string_view bytes, const std::string& path) {
    try {
        return yaml_reader(bytes).document();
    } catch (const yaml_fault& why) {
        throw cannot_import(path, fmt::format("it is not YAML: {}", why.what()));
    }
}

}  // namespace hob::cmd
