// SPDX-License-Identifier: BSD-2-Clause

package net_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"percore/net"
)

const atOnce = 100

// serve has an http.Server on percore's listener; its client dials by percore.
func serve(t *testing.T) (url string, client *http.Client) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Write(body)
	})
	mux.HandleFunc("/size/", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/size/"))
		w.Write(bytes.Repeat([]byte("x"), n))
	})
	server := &http.Server{Handler: mux}
	done := make(chan error)
	go func() { done <- server.Serve(l) }()
	transport := &http.Transport{DialContext: new(net.Dialer).DialContext, MaxIdleConnsPerHost: atOnce}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
		if err := <-done; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String(), &http.Client{Transport: transport, Timeout: patience}
}

func ask(client *http.Client, url, text string) error {
	r, err := client.Post(url+"/echo", "text/plain", strings.NewReader(text))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	got, err := io.ReadAll(r.Body)
	if err == nil && string(got) != text {
		err = fmt.Errorf("%d bytes came back of %d", len(got), len(text))
	}
	return err
}

func askMany(t *testing.T, client *http.Client, url string, rounds int) {
	var wait sync.WaitGroup
	for i := 0; i < atOnce; i++ {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			for k := 0; k < rounds; k++ {
				if err := ask(client, url, strings.Repeat("y", 10*i+k)); err != nil {
					t.Error(i, k, err)
					return
				}
			}
		}(i)
	}
	wait.Wait()
}

func TestHTTP(t *testing.T) {
	url, client := serve(t)
	r, err := client.Get(url + "/size/3000000")
	must(t, err)
	n, err := io.Copy(io.Discard, r.Body)
	r.Body.Close()
	if n != 3000000 || err != nil {
		t.Fatal(n, err)
	}
	askMany(t, client, url, 5)
}

// cpus of a thread, as the kernel has them.
func cpus(t *testing.T, thread int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/status", thread))
	must(t, err)
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, "Cpus_allowed_list:") {
			return strings.TrimSpace(strings.TrimPrefix(line, "Cpus_allowed_list:"))
		}
	}
	return ""
}

// has says whether a list as "0,2-5" has a CPU.
func has(list string, cpu int) bool {
	for _, part := range strings.Split(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		a, _ := strconv.Atoi(first)
		b, _ := strconv.Atoi(last)
		if a == cpu || isRange && a <= cpu && cpu <= b {
			return true
		}
	}
	return false
}

// The scheduler and the collector are kept as busy as they can be: the lcore's thread stays on its CPU, is nobody else's, and
// serves on.
func TestStackThread(t *testing.T) {
	url, client := serve(t)
	l := stack.Lcore()
	if c := cpus(t, l.Thread); c != strconv.Itoa(l.CPU) || l.Lcores != 1 {
		t.Fatalf("%+v, but the thread may run on %s", l, c)
	}
	stop := make(chan struct{})
	var wait sync.WaitGroup
	collections, strays := 0, make([]string, 8)
	for i := 0; i < 8; i++ {
		wait.Add(1)
		go func(i int) { // a storm
			defer wait.Done()
			var keep [][]byte
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				runtime.Gosched()
				if n%1000 == 0 {
					keep = append(keep[:n/1000%50], make([]byte, 10000))
					if syscall.Gettid() == l.Thread {
						strays[i] = "a goroutine runs on the lcore's thread"
					}
					if here := cpus(t, syscall.Gettid()); l.Left > 0 && has(here, l.CPU) {
						strays[i] = "a goroutine's thread is on the lcore's CPU"
					}
					time.Sleep(100 * time.Microsecond)
				}
			}
		}(i)
	}
	wait.Add(1)
	go func() {
		defer wait.Done()
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				runtime.GC()
				collections++
			}
		}
	}()
	askMany(t, client, url, 3)
	close(stop)
	wait.Wait()
	for _, s := range strays {
		if s != "" {
			t.Error(s)
		}
	}
	if collections == 0 {
		t.Error("no garbage was collected")
	}
	if c := cpus(t, l.Thread); c != strconv.Itoa(l.CPU) {
		t.Errorf("the lcore's thread may run on %s now, not on %d", c, l.CPU)
	}
	t.Logf("%d collections; %+v; GOMAXPROCS %d", collections, l, runtime.GOMAXPROCS(0))
}
