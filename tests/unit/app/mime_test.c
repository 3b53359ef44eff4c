/* SPDX-License-Identifier: BSD-2-Clause */
#include "mime.h"

#include "suite.h"

static void types(void)
{
	static const struct {
		const char *name, *type;
	} rows[] = {
	    {"/index.html", "text/html; charset=utf-8"},
	    {"/a/b.HTM", "text/html; charset=utf-8"},
	    {"/x.tar.gz", "application/gzip"},
	    {"/a.b/c", "application/octet-stream"},
	    {"/a", "application/octet-stream"},
	    {"/a.", "application/octet-stream"},
	    {"/a.unknown", "application/octet-stream"},
	    {"/.png", "application/octet-stream"},
	    {"/logo.svg", "image/svg+xml"},
	    {"/app.js", "text/javascript; charset=utf-8"},
	    {"/m.wasm", "application/wasm"},
	    {"/f.woff2", "font/woff2"},
	    {"/z.zst", "application/zstd"},
	    {"/a.7z", "application/x-7z-compressed"},
	};

	for (size_t i = 0; i < ROWS(rows); i++)
		CHECK_ROW(strcmp(mime_type(rows[i].name), rows[i].type) == 0, rows[i].name);
}

/* The table is searched by halves: each entry is found only if the order is right. */
static void order(void)
{
	static const char *const names[] = {
	    "x.7z",   "x.aac",  "x.apng", "x.atom", "x.avif", "x.bmp",  "x.br",   "x.bz2",  "x.css",
	    "x.csv",  "x.deb",  "x.doc",  "x.docx", "x.epub", "x.flac", "x.gif",  "x.gz",   "x.ico",
	    "x.ics",  "x.iso",  "x.jar",  "x.jpeg", "x.jpg",  "x.js",   "x.json", "x.jxl",  "x.log",
	    "x.m3u8", "x.m4a",  "x.map",  "x.md",   "x.mid",  "x.mjs",  "x.mkv",  "x.mov",  "x.mp3",
	    "x.mp4",  "x.mpeg", "x.odt",  "x.ogg",  "x.otf",  "x.pdf",  "x.png",  "x.ppt",  "x.rar",
	    "x.rss",  "x.rtf",  "x.svg",  "x.tar",  "x.tgz",  "x.tiff", "x.ts",   "x.ttf",  "x.txt",
	    "x.vcf",  "x.wasm", "x.wav",  "x.webm", "x.webp", "x.woff", "x.xls",  "x.xlsx", "x.xml",
	    "x.xz",   "x.yaml", "x.yml",  "x.zip",  "x.zst",
	};

	for (size_t i = 0; i < ROWS(names); i++)
		CHECK_ROW(strcmp(mime_type(names[i]), "application/octet-stream") != 0, names[i]);
}

static const struct unit_case cases[] = {{"types", types}, {"order", order}};

UNIT_MAIN("app/mime", cases)
