#pragma once
// What an answer has room for. Where one does not fit the rest is left out, and counted.

#include <cstddef>

namespace stox::host {

class Room {
public:
    explicit Room(std::size_t octets) : left_(octets) {}

    bool takes(std::size_t octets) {
        if (left_out_ > 0 || octets > left_) {
            ++left_out_;
            return false;
        }
        left_ -= octets;
        return true;
    }
    void leave_out() { ++left_out_; }
    std::size_t left_out() const { return left_out_; }

private:
    std::size_t left_, left_out_ = 0;
};

}  // namespace stox::host
