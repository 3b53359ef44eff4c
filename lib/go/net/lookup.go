// SPDX-License-Identifier: BSD-2-Clause

package net

import (
	"context"
	"net"
	"net/netip"
	"strings"
)

// DefaultResolver is Go's own resolver, which reads /etc/hosts and /etc/resolv.conf, and asks by percore's sockets. Name servers on
// this machine's loopback are the kernel's.
var DefaultResolver = &Resolver{PreferGo: true}

func init() { DefaultResolver.Dial = dialServer } // which may have a name looked up itself

func dialServer(ctx context.Context, network, address string) (Conn, error) {
	if a, err := netip.ParseAddrPort(address); err == nil && a.Addr().IsLoopback() {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return new(Dialer).DialContext(ctx, network, address)
}

// lookup finds the addresses and the port of "host:port", of the network's family; no host is no address in particular, and
// so is "", with any port.
func lookup(ctx context.Context, r *Resolver, network, address string) ([]IPAddr, int, error) {
	if address == "" {
		return []IPAddr{{}}, 0, nil
	}
	host, service, err := SplitHostPort(address)
	if err != nil {
		return nil, 0, err
	}
	port, err := r.LookupPort(ctx, network, service)
	if err != nil {
		return nil, 0, err
	}
	if host == "" {
		return []IPAddr{{}}, port, nil
	}
	all, err := r.LookupIPAddr(ctx, host)
	if err != nil {
		return nil, 0, err
	}
	if len(all) == 1 && all[0].IP.Equal(IPv6unspecified) { // as in Go's, [::] stands for all of IPv4, too
		all = append(all, IPAddr{IP: IPv4zero})
	}
	var good []IPAddr
	for _, a := range all {
		four := a.IP.To4() != nil
		if f := family(network); f == 0 || four == (network[len(network)-1] == '4') {
			good = append(good, a)
		}
	}
	if len(good) == 0 {
		return nil, 0, &AddrError{Err: "no suitable address found", Addr: host}
	}
	return good, port, nil
}

func resolve(network, address, usual string, known func(string) bool) (IPAddr, int, error) {
	if network == "" {
		network = usual
	} else if !known(network) {
		return IPAddr{}, 0, UnknownNetworkError(network)
	}
	addrs, port, err := lookup(context.Background(), DefaultResolver, network, address)
	if err != nil {
		return IPAddr{}, 0, err
	}
	six := family(network) == 0 && strings.Contains(address, "[")
	for _, a := range addrs { // as in Go's, IPv4 first, unless IPv6 is written
		if (a.IP.To4() == nil) == six {
			return a, port, nil
		}
	}
	return addrs[0], port, nil
}

func ResolveTCPAddr(network, address string) (*TCPAddr, error) {
	a, port, err := resolve(network, address, "tcp", isTCP)
	if err != nil {
		return nil, err
	}
	return &TCPAddr{IP: a.IP, Port: port, Zone: a.Zone}, nil
}

func ResolveUDPAddr(network, address string) (*UDPAddr, error) {
	a, port, err := resolve(network, address, "udp", isUDP)
	if err != nil {
		return nil, err
	}
	return &UDPAddr{IP: a.IP, Port: port, Zone: a.Zone}, nil
}

// ResolveIPAddr is Go's, which asks Go's own resolver for a name.
func ResolveIPAddr(network, address string) (*IPAddr, error) {
	return net.ResolveIPAddr(network, address)
}

// The Lookup functions ask DefaultResolver.
func LookupAddr(addr string) ([]string, error) {
	return DefaultResolver.LookupAddr(context.Background(), addr)
}

func LookupCNAME(host string) (string, error) {
	return DefaultResolver.LookupCNAME(context.Background(), host)
}

func LookupHost(host string) ([]string, error) {
	return DefaultResolver.LookupHost(context.Background(), host)
}

func LookupIP(host string) ([]IP, error) {
	return DefaultResolver.LookupIP(context.Background(), "ip", host)
}

func LookupMX(name string) ([]*MX, error) {
	return DefaultResolver.LookupMX(context.Background(), name)
}

func LookupNS(name string) ([]*NS, error) {
	return DefaultResolver.LookupNS(context.Background(), name)
}

func LookupPort(network, service string) (int, error) {
	return DefaultResolver.LookupPort(context.Background(), network, service)
}

func LookupSRV(service, proto, name string) (string, []*SRV, error) {
	return DefaultResolver.LookupSRV(context.Background(), service, proto, name)
}

func LookupTXT(name string) ([]string, error) {
	return DefaultResolver.LookupTXT(context.Background(), name)
}
