#include "unit/protocol/lines/answer_reader.hpp"

#include <algorithm>
#include <utility>

#include "limits.hpp"

namespace hob::unit {

answer_reader::answer_reader(const answer_spec& where) : form_(where.form), quiet_(where.quiet) {
    if (form_ == answer_form::until) until_.emplace(where.until);
}

void answer_reader::begin() {
    drop();
    awaited_ = true;
}

std::size_t answer_reader::feed(std::string_view bytes) {
    std::size_t used = 0;
    while (awaited_ && used < bytes.size()) {
        const std::size_t end = bytes.find('\n', used);
        const std::size_t size = (end == std::string_view::npos ? bytes.size() : end) - used;
        add(bytes.substr(used, size));
        used += size;
        if (end == std::string_view::npos) break;
        ++used;
        end_line();
    }
    return used;
}

// Part of one line.
void answer_reader::add(std::string_view part) {
    if (!oversized_ && text_.size() + part.size() > limits::line_max) {
        oversized_ = true;
        text_.erase(0, line_);
        line_ = 0;
        text_.resize(std::min(text_.size(), limits::log_line_max));
    }
    if (oversized_)
        part = part.substr(0, limits::log_line_max - std::min(text_.size(), limits::log_line_max));
    text_ += part;
}

void answer_reader::end_line() {
    if (text_.size() > line_ && text_.back() == '\r') text_.pop_back();
    if (form_ == answer_form::line) awaited_ = false;
    if (form_ == answer_form::until && ends_with(true)) awaited_ = false;
    if (!awaited_) return;
    if (oversized_) {
        text_.clear();
    } else {
        text_ += '\n';
    }
    line_ = text_.size();
}

// Whether the expression is found in the last line. Takes out what it matches, except for its first group.
bool answer_reader::ends_with(bool whole_line) {
    if (!whole_line && line().empty()) return false;
    const auto found = until_->find(line().substr(0, limits::log_line_max));
    if (!found) return false;
    text_.replace(line_ + found->begin, found->end - found->begin, found->group);
    // The line held nothing else: the end before it is the end of the answer.
    if (line().empty() && line_ > 0) text_.resize(--line_);
    return true;
}

std::optional<std::chrono::milliseconds> answer_reader::pause() const {
    if (!awaited_) return std::nullopt;
    if (form_ == answer_form::quiet) return quiet_;
    if (form_ == answer_form::until && !line().empty()) return limits::prompt_pause;
    return std::nullopt;
}

void answer_reader::on_silence() {
    if (!awaited_) return;
    if (form_ == answer_form::quiet && said_anything()) {
        awaited_ = false;
        if (text_.ends_with('\n')) text_.pop_back();
    } else if (form_ == answer_form::until && ends_with(false)) {
        awaited_ = false;
    }
}

void answer_reader::on_nothing() {
    if (form_ == answer_form::quiet && !said_anything()) awaited_ = false;
}

std::optional<std::string> answer_reader::take() {
    const bool whole = !std::exchange(oversized_, false);
    std::string text = drop();
    return whole ? std::optional(std::move(text)) : std::nullopt;
}

std::string answer_reader::drop() {
    awaited_ = false;
    oversized_ = false;
    line_ = 0;
    return std::exchange(text_, {});
}

}  // namespace hob::unit
