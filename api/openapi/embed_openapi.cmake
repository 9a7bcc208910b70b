# Usage: cmake -DOUT=file.cc -DSOURCE=openapi.json -P embed_openapi.cmake
file(READ ${SOURCE} text HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${text}")
file(WRITE ${OUT} "#include \"api/openapi/document.h\"\n\nnamespace coffer::api {\n\n"
  "static constexpr char kDocument[] = {${bytes}};\n\n"
  "std::string_view OpenApiDocument() { return {kDocument, sizeof kDocument}; }\n\n"
  "}  // namespace coffer::api\n")
