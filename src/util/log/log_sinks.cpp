#include "util/log/log_sinks.hpp"

#include <boost/log/attributes/value_extraction.hpp>
#include <boost/log/core/record_view.hpp>
#include <boost/log/sinks/basic_sink_backend.hpp>
#include <boost/log/sinks/frontend_requirements.hpp>
#include <boost/log/sinks/sync_frontend.hpp>
#include <boost/make_shared.hpp>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "error.hpp"
#include "util/clock.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::util {
namespace {

namespace logging = boost::log;
namespace sinks = boost::log::sinks;

constexpr std::size_t text_max = 8u << 10;      // bytes of one message or value
constexpr std::size_t datagram_max = 4u << 10;  // of syslog; also PIPE_BUF

std::string_view cut_text(std::string_view text, bool& cut) {
    cut = text.size() > text_max;
    if (!cut) return text;
    std::size_t size = text_max;
    while (size > text_max - 4 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80)
        --size;
    return text.substr(0, size);
}

std::string shortened(std::string_view text) {
    bool cut = false;
    std::string result(cut_text(text, cut));
    if (cut) result.append("…");
    return result;
}

void append_plain(std::string& out, std::string_view text) {
    bool cut = false;
    for (const char c : cut_text(text, cut))
        out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
    if (cut) out.append("…");
}

log_entry entry_of(const logging::record_view& record) {
    log_entry entry;
    const auto& values = record.attribute_values();
    if (const auto severity = logging::extract<level>("Severity", values)) entry.severity = *severity;
    if (const auto channel = logging::extract<std::string>("Channel", values)) entry.channel = *channel;
    if (const auto message = logging::extract<log_text>("Message", values)) entry.message = message->text;
    if (const auto fields = logging::extract<log_fields>("Fields", values)) {
        entry.fields = fields->fields;
        entry.about_file = fields->about_file;
    }
    return entry;
}

template <typename Backend, typename... Args>
sink_ptr make_sink(Args&&... args) {
    auto backend = boost::make_shared<Backend>(std::forward<Args>(args)...);
    return boost::make_shared<sinks::synchronous_sink<Backend>>(backend);
}

// Whether a write of at most PIPE_BUF bytes to `fd` would not block.
bool is_writable_now(int fd) {
    pollfd ready{fd, POLLOUT, 0};
    return ::poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0;
}

class stderr_backend : public sinks::basic_sink_backend<sinks::synchronized_feeding> {
public:
    void consume(const logging::record_view& record) {
        std::string line = text_record(entry_of(record), false);
        if (lost_ > 0) line.insert(0, fmt::format("({} records lost)\n", lost_));
        if (line.size() >= datagram_max) line.resize(datagram_max - 1);
        line.push_back('\n');
        if (is_writable_now(STDERR_FILENO) && write_all(STDERR_FILENO, line)) {
            lost_ = 0;
        } else {
            ++lost_;
        }
    }

private:
    std::uint64_t lost_ = 0;
};

class file_backend : public sinks::basic_sink_backend<sinks::synchronized_feeding> {
public:
    file_backend(std::shared_ptr<rotating_file> file, bool json) : file_(std::move(file)), json_(json) {}

    void consume(const logging::record_view& record) {
        const log_entry entry = entry_of(record);
        if (entry.about_file) return;
        file_->append(json_ ? json_record(entry) : text_record(entry, true) + '\n');
    }

private:
    std::shared_ptr<rotating_file> file_;
    bool json_;
};

class syslog_backend : public sinks::basic_sink_backend<sinks::synchronized_feeding> {
public:
    explicit syslog_backend(std::string program) : program_(std::move(program)) {}

    void consume(const logging::record_view& record) {
        const log_entry entry = entry_of(record);
        std::string note;
        if (lost_ > 0) note = fmt::format(" ({} records lost before this one)", lost_);
        std::string datagram = header(entry.severity);
        datagram.append(entry.channel).append(": ");
        append_plain(datagram, entry.message);
        datagram.append(text_fields(entry.fields));
        datagram.resize(std::min(datagram.size(), datagram_max - note.size()));
        datagram.append(note);
        // The first attempt fails after a restart of syslogd; the second reconnects.
        if (send(datagram) || send(datagram)) {
            lost_ = 0;
        } else {
            ++lost_;
        }
    }

private:
    std::string header(level severity) const {
        constexpr std::array priorities{LOG_DEBUG, LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERR, LOG_CRIT};
        constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        const civil_time now = to_local(std::chrono::system_clock::now());
        return fmt::format("<{}>{} {:2} {:02}:{:02}:{:02} {}[{}]: ",
                           LOG_DAEMON | priorities[static_cast<std::size_t>(severity)],
                           months[static_cast<std::size_t>(now.month - 1)], now.day, now.hour, now.minute,
                           now.second, program_, ::getpid());
    }

    bool send(std::string_view datagram) {
        if (!socket_ && !connect()) return false;
        if (::send(socket_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return true;
        if (errno != EAGAIN && errno != EINTR) socket_.reset();
        return false;
    }

    bool connect() {
        unique_fd connecting(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!connecting) return false;
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, "/dev/log");
        if (::connect(connecting.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            return false;
        socket_ = std::move(connecting);
        return true;
    }

    const std::string program_;
    unique_fd socket_;
    std::uint64_t lost_ = 0;
};

}  // namespace

std::string json_record(const log_entry& entry) {
    json_object record;
    record.add("ts", rfc3339(std::chrono::system_clock::now()))
        .add("level", name_of(entry.severity))
        .add("channel", shortened(entry.channel))
        .add("msg", shortened(entry.message));
    for (const auto& field : entry.fields) {
        if (field.raw) {
            record.add(field.key, raw_json{field.value});
        } else {
            record.add(field.key, shortened(field.value));
        }
    }
    return std::move(record).text() + '\n';
}

std::string text_fields(std::span<const log_field> fields) {
    std::string text;
    for (const auto& field : fields) {
        text.append(" ").append(field.key).append("=");
        // Quoted where the end of the value would not be recognizable.
        if (!field.raw && (field.value.empty() || field.value.find_first_of(" \"=") != std::string::npos)) {
            json_quote_to(text, shortened(field.value));
        } else {
            append_plain(text, field.value);
        }
    }
    return text;
}

std::string text_record(const log_entry& entry, bool full_date) {
    const std::string time = rfc3339(std::chrono::system_clock::now());
    std::string line = full_date ? time : time.substr(11, 12);
    line.append(fmt::format(" {:<7} {:<9} ", name_of(entry.severity), entry.channel));
    append_plain(line, entry.message);
    return line.append(text_fields(entry.fields));
}

sink_ptr make_file_sink(std::shared_ptr<rotating_file> file, bool json) {
    return make_sink<file_backend>(std::move(file), json);
}

sink_ptr make_stderr_sink() { return make_sink<stderr_backend>(); }

sink_ptr make_syslog_sink(const std::string& program) { return make_sink<syslog_backend>(program); }

std::string loss_record(bool json, std::uint64_t lost, std::string_view reason) {
    const std::array fields{field("lost", lost), field("reason", reason)};
    const log_entry entry{level::warning, "log", "records of this log were lost", fields, false};
    return json ? json_record(entry) : text_record(entry, true) + '\n';
}

}  // namespace hob::util
