/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The whole server on a stack that is none: what a client gets for what it sends, however the bytes
 * come and go.
 */

#include "server.h"

#include <errno.h>
#include <fcntl.h>

#include "fake.h"
#include "shared/map_guard.h"
#include "suite.h"
#include "tree.h"

#define SECOND UINT64_C(1000000000)
#define HOST   "Host: a\r\n"
#define GET    "GET / HTTP/1.1\r\n" HOST "\r\n"

/* of incomplete requests; the usual 64 are half a megabyte for each of thousands of servers */
#define BUFFERS 16

static const struct http_config defaults = {
#define HTTP_KEY(name, def, min, max, unit, sentence) .name = def,
    HTTP_KEYS(HTTP_KEY)
#undef HTTP_KEY
};

static struct pc_stack stack;
static struct http_config config;
static struct site *site;
static struct access_log *access_log;
static struct server *server;
static uint64_t now;

static void make_site(void)
{
	static char root[128];
	const struct timespec times[2] = {{784111777, 0}, {784111777, 0}};
	struct files_config files = {root, 100, 65536, 0};
	static char big[100000];
	char why[128];

	tree_make();
	tree_text("root/index.html", "root\n");
	tree_text("root/a.txt", "0123456789");
	tree_mkdir("root/dir");
	tree_text("root/dir/index.html", "dir\n");
	tree_mkdir("root/bare");
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)('a' + i % 26);
	tree_write("root/big", big, sizeof(big));
	utimensat(AT_FDCWD, tree_path("root/a.txt"), times, 0);
	snprintf(root, sizeof(root), "%s/root", tree_base);
	site = site_open(&files, 0, why, sizeof(why));
	CU_ASSERT_FATAL(site != NULL);
}

static void begin(void)
{
	const struct server_config sc = {&config, site, access_log};
	char why[128];

	fake_init(&stack);
	now += SECOND;
	server = server_start(&stack, &sc, why, sizeof(why));
	CU_ASSERT_FATAL(server != NULL);
	server_turn(server, now);
}

static void end(void)
{
	server_finish(server);
	for (int fd = 0; fd < FAKE_FDS; fd++)
		CU_ASSERT(!stack.conns[fd].accepted || stack.conns[fd].closed);
}

static void turns(int n)
{
	while (n-- > 0)
		server_turn(server, now);
}

/* What the client got, as a string that lasts until the next call. */
static const char *output(int fd)
{
	static char text[300000];
	const struct fake_conn *c = &stack.conns[fd];

	CU_ASSERT_FATAL(c->out_len < sizeof(text));
	if (c->out_len > 0)
		memcpy(text, c->out, c->out_len);
	text[c->out_len] = '\0';
	return text;
}

static int connect_and_send(const char *p, size_t len)
{
	int fd = fake_connect(&stack);

	turns(1);
	fake_send(&stack, fd, p, len);
	turns(4);
	return fd;
}

static const char *ask(const char *request)
{
	return output(connect_and_send(request, strlen(request)));
}

static unsigned count(const char *text, const char *part)
{
	const char *const end = text + strlen(text);
	unsigned n = 0;

	/* a sanitizer's strstr() takes as long as the whole text is, each time */
	for (; (text = memmem(text, (size_t)(end - text), part, strlen(part))) != NULL; text++)
		n++;
	return n;
}

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void whole_responses(void)
{
	begin();
	CHECK_ROW(strcmp(ask("GET /a.txt HTTP/1.1\r\n" HOST "\r\n"),
	                 "HTTP/1.1 200 OK\r\nServer: percore\r\n"
	                 "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
	                 "Content-Type: text/plain; charset=utf-8\r\n"
	                 "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	                 "ETag: \"ae1b981bc490a00-a\"\r\nAccept-Ranges: bytes\r\n"
	                 "Content-Length: 10\r\n\r\n0123456789") == 0,
	          "GET");
	CHECK_ROW(strcmp(ask("GET /a.txt HTTP/1.1\r\n" HOST "Range: bytes=2-4\r\n\r\n"),
	                 "HTTP/1.1 206 Partial Content\r\nServer: percore\r\n"
	                 "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
	                 "Content-Type: text/plain; charset=utf-8\r\n"
	                 "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	                 "ETag: \"ae1b981bc490a00-a\"\r\nAccept-Ranges: bytes\r\n"
	                 "Content-Range: bytes 2-4/10\r\nContent-Length: 3\r\n\r\n234") == 0,
	          "206");
	CHECK_ROW(strcmp(ask("GET /a.txt HTTP/1.1\r\n" HOST "If-None-Match: *\r\n\r\n"),
	                 "HTTP/1.1 304 Not Modified\r\nServer: percore\r\n"
	                 "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
	                 "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	                 "ETag: \"ae1b981bc490a00-a\"\r\nAccept-Ranges: bytes\r\n\r\n") == 0,
	          "304");
	CHECK_ROW(strcmp(ask("POST /a.txt HTTP/1.1\r\n" HOST "\r\n"),
	                 "HTTP/1.1 405 Method Not Allowed\r\nServer: percore\r\n"
	                 "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
	                 "Allow: GET, HEAD\r\nContent-Type: text/plain; charset=utf-8\r\n"
	                 "Content-Length: 23\r\n\r\n405 Method Not Allowed\n") == 0,
	          "405");
	CHECK_ROW(strcmp(ask("HEAD /nothing HTTP/1.0\r\n\r\n"),
	                 "HTTP/1.1 404 Not Found\r\nServer: percore\r\n"
	                 "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\nConnection: close\r\n"
	                 "Content-Type: text/plain; charset=utf-8\r\n"
	                 "Content-Length: 14\r\n\r\n") == 0,
	          "HEAD");
	end();
}

static void statuses(void)
{
	static const struct {
		const char *request, *wanted, *field; /* field: must be there too */
	} rows[] = {
	    {GET, "200", "\r\n\r\nroot\n"},
	    {"GET /index.html HTTP/1.0\r\n\r\n", "200", "Connection: close\r\n"},
	    {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "200",
	     "Connection: keep-alive\r\n"},
	    {"HEAD / HTTP/1.1\r\n" HOST "\r\n", "200", "Content-Length: 5\r\n\r\n"},
	    {"GET http://x/a.txt HTTP/1.1\r\n" HOST "\r\n", "200", "0123456789"},
	    {"GET /healthz HTTP/1.1\r\n" HOST "\r\n", "200", "\r\n\r\nok\n"},
	    {"GET /healthz?x HTTP/1.1\r\n" HOST "\r\n", "200", "\r\n\r\nok\n"},
	    {"GET /a.txt?x=y HTTP/1.1\r\n" HOST "\r\n", "200", "0123456789"},
	    {"GET /d%69r/../a.txt HTTP/1.1\r\n" HOST "\r\n", "200", "0123456789"},
	    {"GET /dir/ HTTP/1.1\r\n" HOST "\r\n", "200", "\r\n\r\ndir\n"},
	    {"GET /dir HTTP/1.1\r\n" HOST "\r\n", "301", "Location: /dir/\r\n"},
	    {"GET //dir?a=b%20c HTTP/1.1\r\n" HOST "\r\n", "301", "Location: /dir/?a=b%20c\r\n"},
	    {"GET /bare/ HTTP/1.1\r\n" HOST "\r\n", "403", "403 Forbidden\n"},
	    {"GET /x HTTP/1.1\r\n" HOST "\r\n", "404", "404 Not Found\n"},
	    {"GET /a.txt/ HTTP/1.1\r\n" HOST "\r\n", "404", ""},
	    {"GET /../../etc/passwd HTTP/1.1\r\n" HOST "\r\n", "404", ""},
	    {"GET /%00 HTTP/1.1\r\n" HOST "\r\n", "400", "Connection: close\r\n"},
	    {"GET * HTTP/1.1\r\n" HOST "\r\n", "400", ""},
	    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "405", "Allow: GET, HEAD\r\n"},
	    {"CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n", "405", "Connection: close\r\n"},
	    {"DELETE / HTTP/1.1\r\n" HOST "\r\n", "405", ""},
	    {"BREW / HTTP/1.1\r\n" HOST "\r\n", "501", ""},
	    {"GET / HTTP/1.1\r\n" HOST "Expect: coffee\r\n\r\n", "417", ""},
	    {"GET / HTTP/1.0\r\nExpect: coffee\r\n\r\n", "200", ""},
	    {"GET / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n", "200", ""},
	    {"GET /a.txt HTTP/1.1\r\n" HOST "Range: bytes=-3\r\n\r\n", "206",
	     "Content-Range: bytes 7-9/10\r\nContent-Length: 3\r\n\r\n789"},
	    {"GET /a.txt HTTP/1.1\r\n" HOST "Range: bytes=10-\r\n\r\n", "416",
	     "Content-Range: bytes */10\r\n"},
	    {"GET /a.txt HTTP/1.1\r\n" HOST "Range: bytes=0-1,3-4\r\n\r\n", "200", "0123456789"},
	    {"HEAD /a.txt HTTP/1.1\r\n" HOST "Range: bytes=0-1\r\n\r\n", "200", ""},
	    {"GET /a.txt HTTP/1.1\r\n" HOST "Range: bytes=0-1\r\nIf-Range: \"x\"\r\n\r\n", "200",
	     "0123456789"},
	    {"GET /a.txt HTTP/1.1\r\n" HOST "If-Match: \"x\"\r\n\r\n", "412", ""},
	    {"GET /a.txt HTTP/1.1\r\n" HOST
	     "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
	     "304", ""},
	    {"GET /x HTTP/1.1\r\n" HOST "If-None-Match: *\r\n\r\n", "404", ""},
	    {"GET / HTTP/1.1\r\n\r\n", "400", "Connection: close\r\n"},
	    {"GET / HTTP/2.0\r\n" HOST "\r\n", "505", "Connection: close\r\n"},
	};

	begin();
	for (size_t i = 0; i < ROWS(rows); i++) {
		const char *text = ask(rows[i].request);

		CHECK_ROW(begins(text, "HTTP/1.1 ") && begins(text + 9, rows[i].wanted),
		          rows[i].request);
		CHECK_ROW(strstr(text, rows[i].field) != NULL, rows[i].request);
		if (i % 8 == 7) {
			end();
			begin();
		}
	}
	end();
}

/* Requests of all kinds in one stream; the last one ends the connection. */
static const char stream[] = GET "GET /a.txt HTTP/1.1\r\n" HOST "User-Agent: x\r\n\r\n"
                                 "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"
                                 "\r\n"
                                 "GET /x HTTP/1.1\r\n" HOST "\r\n"
                                 "PUT / HTTP/1.1\r\n" HOST
                                 "Transfer-Encoding: chunked\r\n\r\n5\r\nworld\r\n0\r\nA: b\r\n\r\n"
                                 "GET /dir HTTP/1.1\r\n" HOST "\r\n"
                                 "HEAD /big HTTP/1.1\r\n" HOST "\r\n"
                                 "GET /a.txt HTTP/1.1\r\n" HOST "Range: bytes=1-3\r\n\r\n"
                                 "GET /a.txt HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
                                 "GET /big HTTP/1.1\r\n" HOST "Range: bytes=5-70004\r\n\r\n"
                                 "GET /dir/ HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n";

static char *expected;
static size_t expected_len;

static void get_expected(void)
{
	int fd = connect_and_send(stream, sizeof(stream) - 1);
	const char *text = output(fd);

	expected_len = stack.conns[fd].out_len;
	expected = malloc(expected_len + 1);
	memcpy(expected, text, expected_len + 1);
	CU_ASSERT(count(text, "HTTP/1.1 ") == 11);
	CU_ASSERT(count(text, "HTTP/1.1 200") == 5);
	CU_ASSERT(count(text, "HTTP/1.1 206") == 2);
	CU_ASSERT(count(text, "HTTP/1.1 301") == 1);
	CU_ASSERT(count(text, "HTTP/1.1 404") == 1);
	CU_ASSERT(count(text, "HTTP/1.1 405") == 2);
	CU_ASSERT(begins(text + expected_len - 4, "dir\n"));
	CU_ASSERT(stack.conns[fd].closed && !stack.conns[fd].aborted);
}

static void check_stream(int fd)
{
	struct fake_conn *c = &stack.conns[fd];

	CU_ASSERT(c->out_len == expected_len);
	if (!c->closed) { /* it waits for the client, as input came while it was sending */
		CU_ASSERT(c->shut_wr);
		fake_fin(&stack, fd);
		turns(2);
	}
	CU_ASSERT(c->out_len == expected_len && memcmp(c->out, expected, expected_len) == 0);
	CU_ASSERT(c->closed && !c->aborted);
}

static void any_cut_gives_the_same(void)
{
	for (size_t cut = 0; cut <= sizeof(stream) - 1; cut++) {
		int fd;

		begin();
		if (cut == 0)
			get_expected();
		fd = fake_connect(&stack);
		fake_send(&stack, fd, stream, cut);
		turns(4);
		fake_send(&stack, fd, stream + cut, sizeof(stream) - 1 - cut);
		turns(4);
		check_stream(fd);
		CU_ASSERT(server->buffers.used == 0 && server->nb_conns == 0);
		end();
	}
	for (size_t piece = 1; piece < 40; piece++) {
		int fd;

		begin();
		fd = fake_connect(&stack);
		for (size_t i = 0; i < sizeof(stream) - 1; i += piece) {
			const size_t left = sizeof(stream) - 1 - i;

			fake_send(&stack, fd, stream + i, left < piece ? left : piece);
			turns(1);
		}
		turns(2);
		check_stream(fd);
		end();
	}
}

/* Back-pressure: a client that takes few bytes at a time gets the same. */
static void any_window_gives_the_same(void)
{
	static const size_t windows[] = {1, 2, 3, 7, 100, 300, 1000, 1460, 4096, 65536};

	for (size_t i = 0; i < ROWS(windows); i++) {
		for (int half = 0; half < 2; half++) {
			int fd;

			begin();
			fd = fake_connect(&stack);
			stack.conns[fd].window = 0;
			fake_send(&stack, fd, stream, sizeof(stream) - 1);
			if (half)
				fake_fin(&stack, fd);
			for (size_t n = 0; n < expected_len + 100 && !stack.conns[fd].closed;
			     n += windows[i]) {
				turns(1);
				fake_open_window(&stack, fd, windows[i]);
			}
			turns(2);
			check_stream(fd);
			CU_ASSERT(server->buffers.used == 0);
			end();
		}
	}
}

static void random_pieces_and_windows(void)
{
	for (unsigned seed = 0; seed < 300; seed++) {
		size_t sent = 0;
		int fd;

		srand(seed);
		begin();
		fd = fake_connect(&stack);
		stack.conns[fd].window = 0;
		for (int step = 0; step < 100000 && stack.conns[fd].out_len < expected_len;
		     step++) {
			size_t n = (size_t)(rand() % 300);

			if (rand() % 2) {
				n = n < sizeof(stream) - 1 - sent ? n : sizeof(stream) - 1 - sent;
				fake_send(&stack, fd, stream + sent, n);
				sent += n;
			} else {
				fake_open_window(&stack, fd, n * n / 16);
			}
			stack.conns[fd].send_errno = rand() % 20 == 0 ? ENOBUFS : 0;
			turns(rand() % 3);
		}
		stack.conns[fd].send_errno = 0;
		turns(2);
		check_stream(fd);
		end();
	}
}

/* Many small requests in one piece are answered by few sends. */
static void pipelining(void)
{
	char many[sizeof(GET) * 1000];
	size_t len = 0;
	int fd;

	for (int i = 0; i < 1000; i++, len += sizeof(GET) - 1)
		memcpy(many + len, GET, sizeof(GET) - 1);
	begin();
	fd = connect_and_send(many, len);
	turns(10);
	CU_ASSERT(count(output(fd), "\r\n\r\nroot\n") == 1000);
	CU_ASSERT(stack.conns[fd].sends < 1000 / 25);
	CU_ASSERT(!stack.conns[fd].closed);
	end();
}

/* RFC 9110 section 9.3.6: what a client sends after CONNECT, for the tunnel that there is not, is no
 * request, whether it comes at once or in two pieces. */
static void no_tunnel(void)
{
	static const char text[] = "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n" GET;

	for (size_t cut = 1; cut < sizeof(text) - 1; cut++) {
		int fd;

		begin();
		fd = connect_and_send(text, cut);
		fake_send(&stack, fd, text + cut, sizeof(text) - 1 - cut);
		turns(4);
		CU_ASSERT(begins(output(fd), "HTTP/1.1 405 "));
		CU_ASSERT(count(output(fd), "HTTP/1.1 ") == 1);
		CU_ASSERT(stack.conns[fd].shut_wr || stack.conns[fd].closed);
		end();
	}
}

/* three requests, so that the response is ready to be sent again */
static void make_ready(void)
{
	for (int i = 0; i < 3; i++)
		CU_ASSERT(count(ask(GET), "HTTP/1.1 200 ") == 1);
	CU_ASSERT(server->memo.ready.len != 0);
}

/* Equal requests in one piece, and another one behind them: wherever a send stops, the rest follows. */
static void equal_requests(void)
{
	static const char many[] = GET GET GET GET GET "GET /a.txt HTTP/1.1\r\n" HOST "\r\n";
	static char all[8192];
	size_t len, each;
	int fd;

	begin();
	make_ready();
	each = server->memo.ready.len;
	fd = connect_and_send(many, sizeof(many) - 1);
	len = stack.conns[fd].out_len;
	memcpy(all, output(fd), len);
	CU_ASSERT(stack.conns[fd].sends == 1 && len > 5 * each && server->conns[fd].requests == 6);
	CU_ASSERT(count(output(fd), "\r\n\r\nroot\n") == 5);
	CU_ASSERT(strcmp(output(fd) + len - 10, "0123456789") == 0);
	end();
	for (size_t cut = 1; cut < 6 * each; cut++) {
		begin();
		make_ready();
		fd = fake_connect(&stack);
		stack.conns[fd].window = cut;
		turns(1);
		fake_send(&stack, fd, many, sizeof(many) - 1);
		turns(1);
		CU_ASSERT(stack.conns[fd].out_len == cut);
		/* one is under way, those behind it were not read */
		CU_ASSERT(server->conns[fd].requests == cut / each + 1);
		fake_open_window(&stack, fd, SIZE_MAX / 2);
		turns(3);
		CU_ASSERT(stack.conns[fd].out_len == len && memcmp(output(fd), all, len) == 0);
		CU_ASSERT(server->conns[fd].requests == 6 && server->buffers.used == 0);
		end();
	}
}

/* so many as are allowed on a connection, and the last says that it is */
static void equal_requests_up_to_the_last(void)
{
	static const char many[] = GET GET GET GET GET GET GET GET;
	int fd;

	config.requests = 5;
	begin();
	make_ready();
	for (size_t first = 0; first < 3; first++) {
		fd = connect_and_send(many, first * (sizeof(GET) - 1));
		fake_send(&stack, fd, many, sizeof(many) - 1);
		turns(3);
		CU_ASSERT(count(output(fd), "HTTP/1.1 200") == 5);
		CU_ASSERT(count(output(fd), "Connection: close") == 1);
		CU_ASSERT(stack.conns[fd].shut_wr || stack.conns[fd].closed);
	}
	end();
	config.requests = 0;
}

/* A malformed body is refused, also where the method is not allowed anyway. */
static void bad_bodies(void)
{
	static const char *const rows[] = {
	    "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
	    "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
	    "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
	};

	begin();
	for (size_t i = 0; i < ROWS(rows); i++) {
		for (size_t cut = 0; cut < strlen(rows[i]); cut++) {
			int fd = connect_and_send(rows[i], cut);

			fake_send(&stack, fd, rows[i] + cut, strlen(rows[i]) - cut);
			fake_send(&stack, fd, GET, sizeof(GET) - 1);
			turns(2);
			CHECK_ROW(begins(output(fd), "HTTP/1.1 400 "), rows[i]);
			CHECK_ROW(count(output(fd), "HTTP/1.1") == 1, rows[i]);
			CHECK_ROW(stack.conns[fd].shut_wr && !stack.conns[fd].closed, rows[i]);
			fake_fin(&stack, fd);
			turns(2);
			CHECK_ROW(stack.conns[fd].closed && !stack.conns[fd].aborted, rows[i]);
			end();
			begin();
		}
	}
	end();
}

static void bodies_have_limits(void)
{
	char chunk[1100] = "400\r\n";
	const char *text;
	int fd;

	config.body_bytes = 4096;
	begin();
	text = ask("POST / HTTP/1.1\r\n" HOST "Content-Length: 4097\r\n\r\n");
	CU_ASSERT(begins(text, "HTTP/1.1 413 ") && strstr(text, "Connection: close\r\n"));
	fd = connect_and_send("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 56);
	memset(chunk + 5, 'x', 1024);
	memcpy(chunk + 5 + 1024, "\r\n", 2);
	for (int i = 0; i < 5; i++) {
		CU_ASSERT(stack.conns[fd].out_len == 0);
		fake_send(&stack, fd, chunk, 5 + 1024 + 2);
		turns(1);
	}
	CU_ASSERT(begins(output(fd), "HTTP/1.1 413 "));
	end();
	config.body_bytes = defaults.body_bytes;
}

/* RFC 9110 section 10.1.1 */
static void expect_100_continue(void)
{
	const char *get =
	    "GET / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n";
	const char *put =
	    "PUT / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n";
	int fd;

	begin();
	fd = connect_and_send(get, strlen(get));
	CU_ASSERT(strcmp(output(fd), "HTTP/1.1 100 Continue\r\n\r\n") == 0);
	fake_send(&stack, fd, "abc" GET, 3 + sizeof(GET) - 1);
	turns(2);
	CU_ASSERT(count(output(fd), "HTTP/1.1 200 OK") == 2);
	CU_ASSERT(!stack.conns[fd].closed);
	/* an error is said at once, and is the last word */
	fd = connect_and_send(put, strlen(put));
	CU_ASSERT(begins(output(fd), "HTTP/1.1 405 "));
	CU_ASSERT(strstr(output(fd), "Connection: close\r\n") != NULL);
	end();
}

static void keep_alive(void)
{
	int fd;

	config.requests = 2;
	begin();
	fd = connect_and_send(GET, sizeof(GET) - 1);
	CU_ASSERT(strstr(output(fd), "Connection") == NULL);
	fake_send(&stack, fd, GET GET, 2 * (sizeof(GET) - 1));
	turns(2);
	CU_ASSERT(count(output(fd), "HTTP/1.1 200") == 2);
	CU_ASSERT(count(output(fd), "Connection: close") == 1);
	end();
	config.requests = 0;
}

/* RFC 9112 section 9.6: what the client had on its way when the server ended the connection is read, not reset */
static void ends_in_stages(void)
{
	int fd;

	config.requests = 2;
	begin();
	fd = connect_and_send(GET GET, 2 * (sizeof(GET) - 1));
	CU_ASSERT(count(output(fd), "HTTP/1.1 200") == 2);
	CU_ASSERT(stack.conns[fd].shut_wr && !stack.conns[fd].closed);
	fake_send(&stack, fd, GET, sizeof(GET) - 1);
	turns(2);
	CU_ASSERT(!stack.conns[fd].closed && stack.conns[fd].in_done == stack.conns[fd].in_len);
	CU_ASSERT(count(output(fd), "HTTP/1.1 200") == 2);
	fake_fin(&stack, fd);
	turns(2);
	CU_ASSERT(stack.conns[fd].closed && !stack.conns[fd].aborted);
	/* whoever asks for the end sends no more */
	fd = connect_and_send("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 46);
	CU_ASSERT(stack.conns[fd].closed && !stack.conns[fd].aborted);
	end();
	config.requests = 0;
}

static void wait_seconds(int n)
{
	for (int i = 0; i < n * 20; i++) {
		now += SECOND / 20;
		server_turn(server, now);
	}
}

static void time_outs(void)
{
	int idle, silent, empty, slow, line, reader, body;

	begin();
	silent = fake_connect(&stack);
	empty = connect_and_send(GET "\r\n", sizeof(GET) + 1); /* RFC 9112 section 2.2 */
	line = connect_and_send("GET / HTTP/1.1\r\n", 16);
	idle = connect_and_send(GET, sizeof(GET) - 1);
	slow = connect_and_send(GET "GET / HT", sizeof(GET) + 7);
	body = connect_and_send("PUT / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\n", 46);
	reader = fake_connect(&stack);
	stack.conns[reader].window = 3000;
	fake_send(&stack, reader, "GET /big HTTP/1.1\r\n" HOST "\r\n", 30);
	for (int i = 0; i < 9; i++) { /* bytes of a header do not put it off */
		wait_seconds(1);
		fake_send(&stack, slow, "T", 1);
	}
	CU_ASSERT(!stack.conns[silent].closed && stack.conns[slow].out_len > 0);
	wait_seconds(2);
	CU_ASSERT(stack.conns[silent].closed && stack.conns[silent].out_len == 0);
	CU_ASSERT(stack.conns[empty].closed && count(output(empty), "HTTP/1.1 ") == 1);
	CU_ASSERT(begins(output(line), "HTTP/1.1 408 "));
	CU_ASSERT(count(output(slow), "HTTP/1.1 408 ") == 1 && stack.conns[slow].shut_wr);
	wait_seconds(3);
	CU_ASSERT(stack.conns[slow].closed);
	wait_seconds(10);
	CU_ASSERT(!stack.conns[reader].closed);
	fake_acknowledge(&stack, reader, 2000);
	fake_open_window(&stack, reader, 2000);
	wait_seconds(25);
	CU_ASSERT(!stack.conns[reader].closed && stack.conns[reader].out_len == 5000);
	wait_seconds(10);
	CU_ASSERT(!stack.conns[idle].closed && !stack.conns[body].closed);
	wait_seconds(5);
	CU_ASSERT(stack.conns[reader].closed && stack.conns[reader].aborted);
	CU_ASSERT(stack.conns[idle].closed && begins(output(body), "HTTP/1.1 408 "));
	end();
}

/* what a client takes is what it acknowledges, whether or not there is room for more, and was told of */
static void slow_readers(void)
{
	const size_t per_period = 30 * defaults.send_rate, full = 5 * per_period;
	int steady, squeezed, dripping, prodding;

	begin();
	steady = fake_connect(&stack);
	squeezed = fake_connect(&stack);
	dripping = fake_connect(&stack);
	stack.conns[steady].window = stack.conns[squeezed].window = stack.conns[dripping].window =
	    full;
	fake_send(&stack, steady, "GET /big HTTP/1.1\r\n" HOST "\r\n", 30);
	fake_send(&stack, squeezed, "GET /big HTTP/1.1\r\n" HOST "\r\n", 30);
	fake_send(&stack, dripping, "GET /big HTTP/1.1\r\n" HOST "\r\n", 30);
	turns(3);
	for (int i = 0; i < 4; i++) {
		fake_acknowledge(&stack, steady, per_period);
		stack.conns[steady].window += per_period;
		fake_acknowledge(&stack, squeezed, per_period);
		fake_acknowledge(&stack, dripping, per_period - 1);
		stack.conns[dripping].window += full;
		wait_seconds(31);
	}
	CU_ASSERT(!stack.conns[steady].closed);
	CU_ASSERT(stack.conns[steady].out_len == full + 4 * per_period);
	CU_ASSERT(!stack.conns[squeezed].closed && stack.conns[squeezed].out_len == full);
	CU_ASSERT(stack.conns[dripping].closed && stack.conns[dripping].aborted);
	/* and it may be at its end when its time is over */
	stack.conns[steady].window += 1000000;
	wait_seconds(31);
	CU_ASSERT(count(output(steady), "HTTP/1.1 200") == 1 && !stack.conns[steady].closed);
	/* nobody gains time by a byte of requests, and one acknowledged, now and then */
	prodding = fake_connect(&stack);
	stack.conns[prodding].window = 1000;
	fake_send(&stack, prodding, "GET /big HTTP/1.1\r\n" HOST "\r\n", 30);
	for (int i = 0; i < 35; i++) {
		wait_seconds(1);
		fake_acknowledge(&stack, prodding, 1);
		fake_send(&stack, prodding, "G", 1);
	}
	CU_ASSERT(stack.conns[prodding].closed && stack.conns[prodding].aborted);
	end();
}

static void clients_that_go(void)
{
	int fd;

	begin();
	fd = fake_connect(&stack); /* request and FIN at once */
	fake_send(&stack, fd, GET, sizeof(GET) - 1);
	fake_fin(&stack, fd);
	turns(3);
	CU_ASSERT(begins(output(fd), "HTTP/1.1 200") && stack.conns[fd].closed);
	CU_ASSERT(!stack.conns[fd].aborted);
	fd = connect_and_send("GET /", 5); /* FIN within a request */
	fake_fin(&stack, fd);
	turns(2);
	CU_ASSERT(stack.conns[fd].closed && stack.conns[fd].out_len == 0);
	fd = connect_and_send("GET /", 5);
	fake_reset(&stack, fd);
	turns(2);
	CU_ASSERT(stack.conns[fd].closed);
	fd = fake_connect(&stack); /* gone within a response */
	stack.conns[fd].window = 10;
	fake_send(&stack, fd, "GET /big HTTP/1.1\r\n" HOST "\r\n", 30);
	turns(2);
	fake_reset(&stack, fd);
	turns(2);
	CU_ASSERT(stack.conns[fd].closed);
	CU_ASSERT(server->nb_conns == 0 && server->buffers.used == 0);
	end();
}

/* RFC 9293 section 3.8.5: a receive ends in front of an urgent byte, which says nothing of what is behind it. */
static void urgent_bytes(void)
{
	static const char rest[] = "TTP/1.1\r\n" HOST "\r\n";
	int fd;

	begin();
	fd = fake_connect(&stack);
	turns(1);
	fake_send_urgent(&stack, fd, "GET / H", 7);
	fake_send(&stack, fd, rest, sizeof(rest) - 1);
	turns(2);
	CU_ASSERT(count(output(fd), "HTTP/1.1 200") == 1);
	/* also between two requests, of which the first is answered late */
	stack.conns[fd].window = 10;
	fake_send(&stack, fd, GET, sizeof(GET) - 1);
	turns(2);
	fake_send_urgent(&stack, fd, "GET / H", 7);
	fake_send(&stack, fd, rest, sizeof(rest) - 1);
	turns(2);
	fake_open_window(&stack, fd, 10000);
	turns(2);
	CU_ASSERT(count(output(fd), "HTTP/1.1 200") == 3);
	end();
}

/* The oldest incomplete request gives way to a newer one. */
static void too_few_buffers(void)
{
	int fds[20];

	config.buffers = 8;
	begin();
	for (int i = 0; i < 20; i++) {
		fds[i] = fake_connect(&stack);
		fake_send(&stack, fds[i], "GET /", 5);
		turns(1);
	}
	turns(1);
	for (int i = 0; i < 20; i++)
		CU_ASSERT(stack.conns[fds[i]].closed == (i < 12));
	fake_send(&stack, fds[15], " HTTP/1.1\r\n" HOST "\r\n", 22);
	turns(1);
	CU_ASSERT(begins(output(fds[15]), "HTTP/1.1 200"));
	end();
	config.buffers = BUFFERS;
}

/* a request that has arrived with its connection is answered in the turn that accepts it */
static void early_request(void)
{
	int fd;

	begin();
	fd = fake_connect(&stack);
	fake_send(&stack, fd, GET, sizeof(GET) - 1);
	turns(1);
	CU_ASSERT(begins(output(fd), "HTTP/1.1 200"));
	end();
}

static void draining(void)
{
	int idle, partial, sending, waiting;

	begin();
	idle = connect_and_send(GET, sizeof(GET) - 1);
	partial = connect_and_send("GET / HTTP/1.1\r\n", 16);
	sending = fake_connect(&stack);
	stack.conns[sending].window = 1000;
	fake_send(&stack, sending, "GET /big HTTP/1.1\r\n" HOST "\r\n", 30);
	turns(2);
	waiting = fake_connect(&stack); /* not accepted yet, but its request is there */
	fake_send(&stack, waiting, GET, sizeof(GET) - 1);
	server_drain(server, now);
	CU_ASSERT(!server_drained(server) && stack.listener < 0);
	turns(2);
	CU_ASSERT(stack.conns[idle].closed && !stack.conns[partial].closed);
	fake_send(&stack, partial, HOST "\r\n", 11);
	fake_open_window(&stack, sending, 1000000);
	turns(2);
	CU_ASSERT(strstr(output(partial), "Connection: close\r\n") != NULL);
	CU_ASSERT(stack.conns[partial].shut_wr && stack.conns[waiting].shut_wr);
	CU_ASSERT(stack.conns[sending].out_len > 100000);
	CU_ASSERT(begins(output(waiting), "HTTP/1.1 200"));
	fake_fin(&stack, partial);
	fake_fin(&stack, waiting);
	turns(2);
	CU_ASSERT(stack.conns[partial].closed && stack.conns[waiting].closed);
	CU_ASSERT(stack.conns[sending].closed);
	CU_ASSERT(server_drained(server));
	end();
}

/* Streams with damage, in pieces: nothing is lost track of, and no request is answered twice. */
static void damaged_streams(void)
{
	static const char bytes[] = "\r\n\t :\0aZ9,%/\x7f\x80-;";
	char text[sizeof(stream)];

	for (unsigned seed = 0; seed < 3000; seed++) {
		size_t len = sizeof(stream) - 1, piece;
		int fd;

		srand(seed);
		memcpy(text, stream, sizeof(text));
		for (int i = rand() % 6; i >= 0; i--)
			text[(size_t)rand() % len] = bytes[(size_t)rand() % (sizeof(bytes) - 1)];
		begin();
		fd = fake_connect(&stack);
		stack.conns[fd].window = (size_t)rand() % 3000;
		for (size_t at = 0; at < len; at += piece) {
			piece = 1 + (size_t)rand() % 200;
			piece = piece < len - at ? piece : len - at;
			fake_send(&stack, fd, text + at, piece);
			turns(1);
		}
		fake_open_window(&stack, fd, SIZE_MAX / 2);
		turns(3);
		fake_fin(&stack, fd);
		turns(3);
		CU_ASSERT(stack.conns[fd].closed && server->nb_conns == 0);
		CU_ASSERT(server->buffers.used == 0);
		CU_ASSERT(count(output(fd), "HTTP/1.1 ") <= 14);
		CU_ASSERT(count(output(fd), "Connection: close") <= 1);
		end();
	}
}

/* A mapped file that is shortened in place: its responses end, the program does not. */
static void a_file_that_shrinks(void)
{
	int before, fd;

	CU_ASSERT(map_guard_install() == 0);
	begin();
	before = fake_connect(&stack);
	stack.conns[before].window = 5000;
	fake_send(&stack, before, "GET /big HTTP/1.1\r\n" HOST "\r\n", 30);
	turns(3);
	CU_ASSERT(stack.conns[before].out_len == 5000);
	CU_ASSERT(truncate(tree_path("root/big"), 10000) == 0);
	fd = connect_and_send("GET /big HTTP/1.1\r\n" HOST "\r\n", 30);
	CU_ASSERT(stack.conns[fd].closed && stack.conns[fd].aborted);
	fake_open_window(&stack, before, 1000000);
	turns(3);
	CU_ASSERT(stack.conns[before].closed && stack.conns[before].aborted);
	CU_ASSERT(begins(ask("GET /big HTTP/1.1\r\n" HOST "\r\n"), "HTTP/1.1 503 "));
	CU_ASSERT(begins(ask(GET), "HTTP/1.1 200 "));
	end();
}

static void the_log(void)
{
	char why[128], line[512] = "", path[256];
	FILE *f;

	strcpy(path, tree_path("log"));
	access_log = access_log_open(path, why, sizeof(why));
	CU_ASSERT_FATAL(access_log != NULL);
	begin();
	ask("GET /a.txt HTTP/1.1\r\n" HOST "Referer: r\r\nUser-Agent: u\r\n\r\nGET /x\r\n");
	end();
	CU_ASSERT(access_log_close(access_log) == 0);
	access_log = NULL;
	f = fopen(path, "r");
	CU_ASSERT(fgets(line, sizeof(line), f) != NULL);
	CHECK_ROW(strcmp(line, "192.0.2.7 - - [14/Nov/2023:22:13:20 +0000] "
	                       "\"GET /a.txt HTTP/1.1\" 200 10 \"r\" \"u\"\n") == 0,
	          line);
	CU_ASSERT(fgets(line, sizeof(line), f) != NULL);
	CHECK_ROW(strstr(line, "] \"-\" 400 16 \"-\" \"-\"\n") != NULL, line);
	fclose(f);
}

/* each of the requests that were answered together has its line */
static void the_log_of_equal_requests(void)
{
	static const char many[] = GET GET GET GET "GET /a.txt HTTP/1.1\r\n" HOST "\r\n" GET GET;
	char why[128], line[512], path[256];
	unsigned n = 0, other = 0;
	FILE *f;

	strcpy(path, tree_path("log2"));
	access_log = access_log_open(path, why, sizeof(why));
	CU_ASSERT_FATAL(access_log != NULL);
	begin();
	make_ready();
	connect_and_send(many, sizeof(many) - 1);
	end();
	CU_ASSERT(access_log_close(access_log) == 0);
	access_log = NULL;
	f = fopen(path, "r");
	for (; fgets(line, sizeof(line), f) != NULL; n++) {
		const bool is_other = strstr(line, "\"GET /a.txt HTTP/1.1\" 200 10") != NULL;

		other += is_other;
		CHECK_ROW(is_other == (n == 3 + 4), line);
		CHECK_ROW(is_other || strstr(line, "\"GET / HTTP/1.1\" 200 5 ") != NULL, line);
	}
	CU_ASSERT(n == 3 + 7 && other == 1);
	fclose(f);
}

static void set_up(void)
{
	config = defaults;
	config.buffers = BUFFERS;
	make_site();
}

static void tear_down(void)
{
	fake_fini(&stack);
	site_close(site);
	free(expected);
	tree_remove();
}

static const struct unit_case cases[] = {
    {"set-up", set_up},
    {"whole responses", whole_responses},
    {"statuses", statuses},
    {"any cut gives the same", any_cut_gives_the_same},
    {"any window gives the same", any_window_gives_the_same},
    {"random pieces and windows", random_pieces_and_windows},
    {"pipelining", pipelining},
    {"no tunnel", no_tunnel},
    {"equal requests", equal_requests},
    {"equal requests up to the last", equal_requests_up_to_the_last},
    {"bad bodies", bad_bodies},
    {"bodies have limits", bodies_have_limits},
    {"100-continue", expect_100_continue},
    {"keep-alive", keep_alive},
    {"the end in stages", ends_in_stages},
    {"time-outs", time_outs},
    {"slow readers", slow_readers},
    {"clients that go", clients_that_go},
    {"urgent bytes", urgent_bytes},
    {"too few buffers", too_few_buffers},
    {"a request that comes with its connection", early_request},
    {"draining", draining},
    {"the log", the_log},
    {"the log of equal requests", the_log_of_equal_requests},
    {"damaged streams", damaged_streams},
    {"a file that shrinks", a_file_that_shrinks},
    {"tear-down", tear_down},
};

UNIT_MAIN("app/server", cases)
