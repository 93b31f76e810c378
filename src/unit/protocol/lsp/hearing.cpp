#include "unit/protocol/lsp/hearing.hpp"

#include <algorithm>
#include <utility>

#include "limits.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
using clock = lsp_word::clock;

}  // namespace

lsp_hearing::lsp_hearing(lsp_documents& documents, const asio::any_io_executor& executor)
    : documents_(documents), changed_(executor) {}

void lsp_hearing::end() {
    ended_ = true;
    changed_.ring();
}

// Until something is published, or it is time to look whether the server rests.
asio::awaitable<void> lsp_hearing::pause(util::deadline limit) {
    const auto longest = std::min(std::chrono::milliseconds(limits::work_look), limit.remaining());
    const bool rang = co_await util::within(longest, changed_.wait());
    static_cast<void>(rang);
}

asio::awaitable<lsp_heard> lsp_hearing::hear(session_host& host, std::string path, util::deadline limit) {
    const question asked{documents_.changes(), clock::now(), limit};
    const struct closing {
        lsp_documents& documents;
        session_host& host;
        const std::string& path;
        ~closing() { documents.forget_closing(host, path); }
    } until_here{documents_, host, path};
    for (;;) {
        auto* document = documents_.find(path);
        if (!document || ended_) co_return lsp_heard::end;
        if (const auto heard = look(host, *document, asked)) co_return *heard;
        co_await pause(limit);
    }
}

// nullopt: wait and look again.
std::optional<lsp_heard> lsp_hearing::look(session_host& host, lsp_documents::document& document,
                                           const question& asked) {
    lsp_word& word = document.word;
    if (word.asked < asked.since) {
        // The wait for this text was paid. It is asked all the same: what it says then is for the next call.
        const bool paid = word.silent;
        documents_.ask(host, document.path);
        if (paid) return lsp_heard::nothing;
    }
    if (word.heard >= asked.since) return look_on(host, word, asked);
    if (word.silent) return lsp_heard::nothing;
    const auto rest = clock::now() - std::max(word.asked_when, host.last_worked());
    const bool over = asked.limit.expired();
    if (!over && (rest < documents_.habits().silence() || host.unread_input() > 0)) return std::nullopt;
    if (!over && documents_.take_other_version(document.path)) return std::nullopt;
    // A server may say nothing about a document that is opened, only when it changes. One that said something
    // before may only not repeat it.
    if (!over && !word.reopened) {
        documents_.ask_by_reopening(host, document.path);
        word.reopened_for_silence = word.publishes > 0;
        return std::nullopt;
    }
    word.silent = word.passed = true;
    return lsp_heard::nothing;
}

// It has published: is that all?
std::optional<lsp_heard> lsp_hearing::look_on(session_host& host, lsp_word& word, const question& asked) {
    lsp_habits& habits = documents_.habits();
    if (word.reopened_for_silence) habits.needs_reopening = true;
    if (word.settled) return lsp_heard::everything;
    const auto now = clock::now();
    const auto quiet = habits.quiet(word);
    if (now - std::max(word.heard_when, host.last_worked()) >= quiet) {
        word.settled = true;
        return lsp_heard::everything;
    }
    // A server that did not come to rest before gets the time of one rest, no more.
    const auto longest = word.busy ? quiet * 2 : limits::lsp_busy_max;
    if (!asked.limit.expired() && now - std::max(word.heard_when, asked.began) < longest) return std::nullopt;
    word.busy = true;
    return lsp_heard::some;
}

asio::awaitable<void> lsp_hearing::settle(session_host& host, lsp_documents::owners whose,
                                          std::chrono::milliseconds patience, util::deadline limit) {
    std::size_t left = documents_.unheard(whose);
    auto patient = util::deadline::in(patience).earlier(limit);
    while (left > 0 && !ended_) {
        const auto rest = clock::now() - std::max(documents_.last_sent(), host.last_worked());
        if (patient.expired() || (rest >= limits::lsp_rest && host.unread_input() == 0)) break;
        co_await pause(patient);
        const std::size_t remaining = documents_.unheard(whose);
        if (remaining < left) patient = util::deadline::in(patience).earlier(limit);
        left = remaining;
    }
    documents_.pass_all();
}

}  // namespace hob::unit
