// SPDX-License-Identifier: BSD-2-Clause

package percore

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// launch is a command line, sorted.
type launch struct {
	name         string
	eal, options []string
	kind, socket string
}

// Options that are a program's on percore, which launchers' command lines may have among EAL's.
var ours = map[string]bool{"--config": true, "-c": true, "--set": true, "--addr": true, "--gateway": true, "--pcap": true,
	"--stats": true}

var flags = map[string]bool{"--help": true, "-h": true, "--version": true, "-V": true, "--print-config": true}

func parse(args []string) (*launch, error) {
	l := &launch{name: "program"}
	if len(args) > 0 {
		l.name = filepath.Base(args[0])
		args = args[1:]
	}
	behind := false // the "--" of EAL's options
	for i := 0; i < len(args); i++ {
		word := args[i]
		if word == "--" && !behind {
			behind = true
			continue
		}
		name, value, apart := strings.Cut(word, "=")
		if !strings.HasPrefix(name, "-") {
			name, value, apart = word, "", false
		}
		takes := ours[name] || name == "--conf" || name == "--proc-type" || name == "--proc-id" || name == "--socket"
		if takes && !apart {
			if i++; i == len(args) {
				return nil, fmt.Errorf("percore: option %s requires an argument", name)
			}
			value = args[i]
		}
		switch {
		case name == "--conf":
			l.options = append(l.options, "--config", value)
		case name == "--proc-type":
			l.kind = value
		case name == "--proc-id":
		case name == "--socket":
			l.socket = value
		case takes:
			l.options = append(l.options, name, value)
		case behind || flags[name]:
			l.options = append(l.options, word)
		default:
			l.eal = append(l.eal, word)
		}
	}
	return l, l.check()
}

func (l *launch) check() error {
	switch l.kind {
	case "":
		if l.socket != "" {
			l.kind = "primary"
		}
	case "primary", "secondary", "auto":
	default:
		return fmt.Errorf("percore: --proc-type: %q is not \"primary\", \"secondary\" or \"auto\"", l.kind)
	}
	if l.kind != "" && l.socket == "" {
		l.socket = defaultSocket()
	}
	return nil
}

// The place that percore-run --proc-type has.
func defaultSocket() string {
	folder := "/run/percore"
	if run := os.Getenv("XDG_RUNTIME_DIR"); os.Geteuid() != 0 {
		folder = fmt.Sprintf("/tmp/percore-%d", os.Geteuid())
		if strings.HasPrefix(run, "/") { // another one is not to be used, says its standard
			folder = run + "/percore"
		}
	}
	return folder + "/primary"
}

// command is the command line of pc_run.
func (l *launch) command() []string {
	c := append([]string{l.name}, l.eal...)
	c = append(append(c, "--"), l.options...)
	if l.kind != "" {
		if dir := filepath.Dir(l.socket); !strings.HasPrefix(l.socket, "@") {
			_ = os.Mkdir(dir, 0o700) // what is wrong with it pc_run will say
		}
		c = append(c, "--set", "run.sockets="+l.socket)
	}
	return c
}
