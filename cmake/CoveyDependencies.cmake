# The libraries that Covey stands on, all from Debian 12.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED)

# Debian's libnats-dev ships no CMake package.
find_path(NATS_INCLUDE nats/nats.h REQUIRED)
find_library(NATS_LIBRARY nats REQUIRED)
add_library(covey_nats INTERFACE)
add_library(covey::nats ALIAS covey_nats)
target_include_directories(covey_nats SYSTEM INTERFACE ${NATS_INCLUDE})
target_link_libraries(covey_nats INTERFACE ${NATS_LIBRARY} Threads::Threads)

# Asio is compiled once, here, and only declared elsewhere.
file(CONFIGURE OUTPUT asio.cpp CONTENT "#include <boost/asio/impl/src.hpp>\n")
add_library(covey_asio STATIC ${CMAKE_CURRENT_BINARY_DIR}/asio.cpp)
add_library(covey::asio ALIAS covey_asio)
target_compile_definitions(covey_asio PUBLIC BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(covey_asio PUBLIC Boost::headers Threads::Threads PRIVATE covey::options)

# Beast, and Asio's TLS streams: compiled once, here, for whoever speaks HTTP.
find_package(ZLIB REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
file(CONFIGURE OUTPUT beast.cpp CONTENT "#include <boost/asio/ssl/impl/src.hpp>\n#include <boost/beast/src.hpp>\n")
add_library(covey_beast STATIC ${CMAKE_CURRENT_BINARY_DIR}/beast.cpp)
add_library(covey::beast ALIAS covey_beast)
target_compile_definitions(covey_beast PUBLIC BOOST_BEAST_SEPARATE_COMPILATION)
target_link_libraries(covey_beast PUBLIC covey::asio OpenSSL::SSL OpenSSL::Crypto PRIVATE covey::options)

if(COVEY_TESTS)
  find_package(GTest REQUIRED)
endif()
