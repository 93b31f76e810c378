// Of a worker: those who share its process and speak its protocol themselves.

#include <utility>

#include "unit/worker/worker_process.hpp"
#include "util/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

// Among those that can be reached by number, and told of what the process says, until the coroutine ends.
struct attached_here {
    unit_context& context;
    std::vector<attachment*>& all;
    std::shared_ptr<attachment> one;
    std::uint64_t number;

    attached_here(unit_context& in, std::vector<attachment*>& of, std::shared_ptr<attachment> which)
        : context(in), all(of), one(std::move(which)), number(++in.last_attachment) {
        context.attachments.emplace(number, one);
        all.push_back(one.get());
    }
    ~attached_here() {
        context.attachments.erase(number);
        std::erase(all, one.get());
        try {
            one->leave();
        } catch (const std::exception& why) {
            util::log(util::level::error, "unit", "an attachment did not end well",
                      {util::field("error", why.what())});
        }
    }
    attached_here(const attached_here&) = delete;
    attached_here& operator=(const attached_here&) = delete;
};

}  // namespace

asio::awaitable<int> worker::attach(attach_stream to, std::function<void(std::uint64_t)> began) {
    const auto alive = self();
    const auto limit = util::deadline::in(std::get<worker_spec>(spec_->detail).call_timeout);
    co_await wait_until_warm("attach", limit);
    const auto now = process_;
    const auto made = now->speaks.session->attach(now, std::move(to));
    const attached_here here(*context_, now->attached, made);
    began(here.number);
    co_return co_await made->ended();
}

std::size_t worker::in_flight() const { return calls_ + (process_ ? process_->attached.size() : 0); }

attachment* worker::most_fit(const worker_process& now, const worker_message& request) {
    attachment* best = nullptr;
    int rank = 0;
    for (auto* one : now.attached) {
        const int fitness = one->fitness(request);
        const bool later = best != nullptr && one->last_word() > best->last_word();
        if (fitness == 0 || fitness < rank || (fitness == rank && !later)) continue;
        best = one;
        rank = fitness;
    }
    return best;
}

}  // namespace hob::unit
