#include "mapping/im/inflate.h"

#define ZLIB_CONST  // what is read is const
#include <zlib.h>

namespace stox::im {

namespace {

struct Inflater {
    z_stream stream{};
    bool open = false;

    Inflater() { open = inflateInit(&stream) == Z_OK; }
    ~Inflater() {
        if (open) inflateEnd(&stream);
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
};

}  // namespace

Result<std::string> inflate(std::string_view compressed, std::size_t limit) {
    Inflater inflater;
    if (!inflater.open) return fail(Code::unavailable, "zlib");
    // One octet more than may come: who fills it has too much.
    std::string octets(limit + 1, '\0');
    auto& stream = inflater.stream;
    stream.next_in = reinterpret_cast<const Bytef*>(compressed.data());
    stream.avail_in = static_cast<uInt>(compressed.size());
    stream.next_out = reinterpret_cast<Bytef*>(octets.data());
    stream.avail_out = static_cast<uInt>(octets.size());
    const int state = ::inflate(&stream, Z_FINISH);
    if (stream.avail_out == 0) return fail(Code::too_large, "a compressed body");
    if (state != Z_STREAM_END || stream.avail_in != 0) return fail(Code::malformed, "not deflate");
    octets.resize(octets.size() - stream.avail_out);
    return octets;
}

}  // namespace stox::im
