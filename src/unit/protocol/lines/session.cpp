// A conversation with a program that speaks lines. Nothing in an answer says which request it belongs to.
// hob keeps to the order instead: it sends a request when the program reads its input, so what was written
// before is of earlier requests, and what is written after it, up to the end of the answer, is of this one.

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/protocol/carried.hpp"
#include "unit/protocol/lines/answer_reader.hpp"
#include "unit/protocol/lines/lines.hpp"
#include "util/async.hpp"
#include "util/duration.hpp"
#include "util/timer.hpp"

namespace hob::unit {

// See the members of lines_session.
struct lines_session_record {
    bool greeted = false;
    bool heard = false;
    bool reads = false;
    bool unseen = false;
};

template <util::json_fields::is<lines_session_record> Record, typename Field>
void each_field(Record& record, const Field& field) {
    field("greeted", record.greeted);
    field("heard", record.heard);
    field("reads", record.reads);
    field("unseen", record.unseen);
}

namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

class lines_session final : public protocol_session {
public:
    std::string out_of_step() const override { return out_of_step_; }

    asio::awaitable<void> settle(session_host& host, util::deadline limit) override {
        if (reads_again_ && host.unread_output() == 0) co_return;
        co_await wait_for_reading(host, limit);
        constexpr int turns_max = 256;  // a program that never stops writing is not waited for
        for (int turns = 0; turns < turns_max && host.unread_output() > 0; ++turns)
            co_await asio::post(host.executor(), asio::use_awaitable);
        greeted_ = true;
    }

    asio::awaitable<std::string> handle_call(session_host& host, call_request call, event_watch* watch,
                                             util::deadline limit) override {
        const auto whole = call.timeout.value_or(worker_spec_of(host.spec()).call_timeout);
        begin(host, call);
        const awaited_answer awaited(*this, host);
        std::optional<failure> failed;
        std::string result;
        try {
            result = co_await host.request_for(watch, std::move(call.method), std::move(call.params), limit);
        } catch (const failure& why) {
            failed.emplace(why);
        }
        if (!failed) co_return result;
        if (failed->kind() == error_kind::usage) reader_->drop();  // it was not sent
        if (failed->kind() == error_kind::timeout) {
            throw failure(failed->kind(), failed->tried(),
                          fmt::format("no answer within {}", util::format_duration(whole)),
                          hint_for_silence(host));
        }
        throw failure(*failed);
    }

    void on_output(session_host& host, std::string_view bytes) override {
        heard_ = true;
        std::size_t used = 0;
        if (reader_ && reader_->awaited()) {
            used = reader_->feed(bytes);
            if (reader_->awaited()) return watch_for_silence(host);
            if (used < bytes.size() && remark_) remark_(rest_remark(host));
            finish(host);
        }
        if (used < bytes.size()) on_unasked(host, bytes.substr(used));
    }

    void on_process_end() override {
        if (silence_) silence_->cancel();
    }

    std::optional<carried_session> state_for_successor() override {
        if (!out_of_step_.empty() || (reader_ && reader_->awaited())) return std::nullopt;
        return carried_record(lines_session_record{greeted_, heard_, reads_, unseen_});
    }

    // The next call looks whether the program reads.
    bool resume(session_host&, carried_session state) override {
        const auto record = util::json_fields::parse<lines_session_record>(state.json);
        if (!record) return false;
        greeted_ = record->greeted;
        heard_ = record->heard;
        reads_ = record->reads;
        unseen_ = record->unseen;
        return true;
    }

private:
    // The end of a call. Without its answer, what comes next may still be that answer.
    struct awaited_answer {
        lines_session& session;
        session_host& host;
        awaited_answer(lines_session& of, session_host& in) : session(of), host(in) {}
        ~awaited_answer() {
            session.remark_ = {};
            if (!session.reader_->awaited()) return;
            host.log_output(session.reader_->drop());
            session.out_of_step_ = "it has not answered an earlier call";
        }
        awaited_answer(const awaited_answer&) = delete;
        awaited_answer& operator=(const awaited_answer&) = delete;
    };

    void begin(session_host& host, const call_request& call) {
        if (!reader_) reader_.emplace(worker_spec_of(host.spec()).answer);
        remark_ = call.remark;
        reader_->begin();
        reads_again_ = false;
        looks_ = 0;
        watch_for_silence(host);
    }

    // Throws failure(timeout).
    asio::awaitable<void> wait_for_reading(session_host& host, util::deadline limit) {
        const auto began = steady_clock::now();
        auto worked = began;
        auto pause = milliseconds(1);
        for (;;) {
            const auto sight = host.look_at_input();
            if (sight == input_watch::sight::waits) reads_ = true;
            if (sight == input_watch::sight::waits || sight == input_watch::sight::unknown) co_return;
            if (greeted_ && (unseen_ || host.unread_output() > 0 || !out_of_step_.empty())) co_return;
            const auto now = steady_clock::now();
            if (sight == input_watch::sight::computes) worked = now;
            unseen_ = unseen_ || (!reads_ && (now - worked >= limits::lines_first_rest ||
                                              now - began >= limits::lines_first_work));
            if (unseen_) co_return;
            if (limit.remaining() <= milliseconds(0)) {
                out_of_step_ = "it does not read requests";
                throw failure(error_kind::timeout, cannot("call", host.spec().name),
                              "it works on something else and does not read the request",
                              fmt::format("`hob logs {}` shows what it said meanwhile", host.spec().name));
            }
            co_await util::pause(std::min(pause, limit.remaining()));
            pause = std::min(pause * 2, limits::lines_look_max);
        }
    }

    void watch_for_silence(session_host& host) {
        const auto pause = reader_->pause();
        if (!pause) return;
        if (!silence_) silence_.emplace(host.executor());
        const bool nothing_yet = !reader_->said_anything();
        const auto later =
            std::max(*pause, std::min(*pause * (1 << std::min(looks_, 8)), limits::lines_nothing_max));
        silence_->expires_after(nothing_yet ? later : *pause);
        silence_->async_wait([weak = weak_from_this(), this, &host](boost::system::error_code cancelled) {
            const auto alive = weak.lock();
            if (alive && !cancelled) on_silence(host);
        });
    }

    void on_silence(session_host& host) {
        if (!reader_->awaited()) return;
        if (host.unread_output() > 0) return watch_for_silence(host);
        if (reader_->said_anything()) {
            reader_->on_silence();
        } else if (++looks_; host.only_reads_input() && host.unread_output() == 0) {
            if (!heard_ && remark_) remark_(buffer_hint());
            reader_->on_nothing();
        } else {
            return watch_for_silence(host);
        }
        if (!reader_->awaited()) finish(host);
    }

    // The answer is complete.
    void finish(session_host& host) {
        const auto text = reader_->take();
        host.answer(text ? lines_answer(*text) : oversized_answer(std::nullopt, {}));
        asio::post(host.executor(), [weak = weak_from_this(), this, &host] {
            const auto alive = weak.lock();
            if (alive && !reader_->awaited()) reads_again_ = host.reads_input();
        });
    }

    void on_unasked(session_host& host, std::string_view bytes) {
        reads_again_ = false;
        host.log_output(bytes);
        if (greeted_ && out_of_step_.empty()) out_of_step_ = "it said more than was asked for";
    }

    static std::string rest_remark(const session_host& host) {
        return fmt::format(
            "it wrote more than this answer: `hob logs {}` shows the rest, and `answer` in hob.toml "
            "says where an answer ends",
            host.spec().name);
    }
    static std::string buffer_hint() {
        return "it has written nothing yet; if it keeps its output in a buffer, set tty = true, or run it by "
               "`stdbuf -oL`";
    }

    std::string hint_for_silence(const session_host& host) const {
        const std::string& name = host.spec().name;
        const auto& answer = worker_spec_of(host.spec()).answer;
        if (!heard_) return buffer_hint();
        if (!reader_->said_anything()) return fmt::format("`hob logs {}` shows what it said before", name);
        const std::string shown = fmt::format("; `hob logs {}` shows it", name);
        if (answer.form == answer_form::until) return "nothing that it wrote matches 'until'" + shown;
        if (answer.form == answer_form::line) return "it wrote no whole line" + shown;
        return fmt::format("it wrote, and was never silent for {}{}", util::format_duration(answer.quiet),
                           shown);
    }

    std::optional<answer_reader> reader_;  // from the first call on
    std::optional<util::timer> silence_;   // from the first wait for silence on
    remark_handler remark_;                // of the call that waits
    std::string out_of_step_;
    int looks_ = 0;  // whether nothing comes, of this call
    // The program was seen to read when its last answer was on its way. It reads until it gets more, so the
    // next call does not look.
    bool reads_again_ = false;
    bool greeted_ = false;  // the program has written all that it writes before its first request
    bool heard_ = false;    // it has written something
    bool reads_ = false;    // it was seen to read its input
    bool unseen_ = false;   // it cannot be seen whether it does
};

}  // namespace

std::shared_ptr<protocol_session> make_lines_session() { return std::make_shared<lines_session>(); }

}  // namespace hob::unit
