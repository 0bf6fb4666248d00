#include "plugin/host/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace stox::host {

namespace {

constexpr std::size_t kLargest = 16u << 20;

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }

private:
    int fd_;
};

auto system_failure() { return fail(Code::unavailable, std::strerror(errno)); }

}  // namespace

Result<SecretFile> read_secret_file(const std::string& path) {
    // Without O_NONBLOCK a named pipe would hold up every domain.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (file.get() < 0) return system_failure();
    struct stat about {};
    if (::fstat(file.get(), &about) != 0) return system_failure();
    if (!S_ISREG(about.st_mode)) return fail(Code::unsupported, "this is no file");
    SecretFile secret;
    secret.open_to_all = (about.st_mode & S_IROTH) != 0;
    char block[65'536];
    for (;;) {
        const auto count = ::read(file.get(), block, sizeof block);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_failure();
        if (count == 0) return secret;
        secret.text.append(block, static_cast<std::size_t>(count));
        if (secret.text.size() > kLargest) return fail(Code::too_large, "larger than 16 MiB");
    }
}

}  // namespace stox::host
