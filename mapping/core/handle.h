#pragma once
// RAII for C libraries: one alias per C type, zero size, zero logic.

#include <memory>

namespace stox {

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* pointer) const noexcept {
        Free(pointer);
    }
};

/// `using XmlParser = Handle<XML_ParserStruct, &XML_ParserFree>;`
template <class T, auto Free>
using Handle = std::unique_ptr<T, Deleter<Free>>;

}  // namespace stox
