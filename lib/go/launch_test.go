// SPDX-License-Identifier: BSD-2-Clause

package percore

import (
	"os"
	"strings"
	"testing"
)

func TestCommand(t *testing.T) {
	os.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	for _, c := range []struct{ line, command, kind string }{
		{"./p --conf c.ini --proc-type=primary --proc-id=0 --socket @s", "p -- --config c.ini --set run.sockets=@s", "primary"},
		{"./p --conf=c.ini --proc-type primary --proc-id 1 --socket=@s", "p -- --config c.ini --set run.sockets=@s", "primary"},
		{"p --vdev=net_tap0 -l 1 -- --addr 10.0.0.1/8 --set a.b=c", "p --vdev=net_tap0 -l 1 -- --addr 10.0.0.1/8 --set a.b=c", ""},
		{"p --no-huge --addr=10.0.0.1/8 -l 1", "p --no-huge -l 1 -- --addr 10.0.0.1/8", ""},
		{"p --help", "p -- --help", ""},
		{"p -- -c f --own=1", "p -- -c f --own=1", ""},
		{"p --socket @s", "p -- --set run.sockets=@s", "primary"},
	} {
		l, err := parse(strings.Fields(c.line))
		if err != nil {
			t.Fatal(c.line, err)
		}
		if got := strings.Join(l.command(), " "); got != c.command || l.kind != c.kind {
			t.Errorf("%s: %s, %s", c.line, got, l.kind)
		}
	}
	for _, line := range []string{"p --conf", "p --proc-type=tertiary", "p --proc-type"} {
		if _, err := parse(strings.Fields(line)); err == nil {
			t.Error(line)
		}
	}
	l, err := parse([]string{"p", "--proc-type=auto"})
	if err != nil || !strings.HasSuffix(l.socket, "percore/primary") && !strings.HasSuffix(l.socket, "/primary") {
		t.Error(l, err)
	}
}

// Nothing works before there is a stack.
func TestNoStack(t *testing.T) {
	if _, err := Attach("/nonexistent/socket"); err == nil || !os.IsNotExist(err) {
		t.Error(err)
	}
	if _, err := Start([]string{"p", "--proc-type=secondary", "--socket=/nonexistent/socket"}); err == nil ||
		!strings.Contains(err.Error(), "no primary process is listening at /nonexistent/socket") {
		t.Error(err)
	}
	if _, err := Start([]string{"p", "--", "--nonsense"}); err == nil {
		t.Error("it started")
	}
	if _, err := Start([]string{"p"}); err == nil { // once in a process's life
		t.Error("it started twice")
	}
}
