# Compiler and linker flags of every target. stox_flags is for all; stox_sanitized for everything but stox.so, which the
# chat server's own process loads.

find_package(PkgConfig REQUIRED)

add_library(stox_flags INTERFACE)
target_include_directories(stox_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_definitions(stox_flags INTERFACE STOX_VERSION="${PROJECT_VERSION}")
target_compile_options(stox_flags INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wimplicit-fallthrough -Wformat=2 -Werror=format-security
    -fstack-protector-strong -fstack-clash-protection $<$<CXX_COMPILER_ID:GNU>:-ftrivial-auto-var-init=zero> -fno-delete-null-pointer-checks
    -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual>)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_options(stox_flags INTERFACE -fcf-protection)
endif()
target_link_options(stox_flags INTERFACE
    LINKER:-z,relro LINKER:-z,now LINKER:-z,noexecstack LINKER:-z,separate-code LINKER:--as-needed)

if(STOX_WERROR)
    target_compile_options(stox_flags INTERFACE -Werror)
endif()

# Fortification needs optimisation and does not go with sanitizers.
if(NOT STOX_SANITIZE)
    target_compile_options(stox_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>)
    target_compile_definitions(stox_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:_GLIBCXX_ASSERTIONS>)
endif()

add_library(stox_sanitized INTERFACE)
target_link_libraries(stox_sanitized INTERFACE stox_flags)
if(STOX_SANITIZE)
    target_compile_options(stox_sanitized INTERFACE -fsanitize=${STOX_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(stox_sanitized INTERFACE -fsanitize=${STOX_SANITIZE})
endif()

# libFuzzer sees what an input reaches only in code that was built for it.
if(STOX_FUZZ)
    target_compile_options(stox_sanitized INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(STOX_MOLD mold)
if(STOX_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_link_options(-fuse-ld=mold)
endif()
find_program(STOX_CCACHE ccache)
if(STOX_CCACHE)
    # ccache passes over a compilation with a precompiled header unless it is told that the header's macros do not matter and
    # the compiler names the header in what it preprocesses.
    set(STOX_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${STOX_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${STOX_LAUNCHER})
    set(CMAKE_C_COMPILER_LAUNCHER ${STOX_LAUNCHER})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        target_compile_options(stox_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
    endif()
endif()
