// SPDX-License-Identifier: BSD-2-Clause

package net

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"percore/internal/pcx"
)

// Interface is a port of the stack: percore0, with the index 1, and so on. Its MTU and hardware address are not known here.
type Interface struct {
	Index        int
	MTU          int
	Name         string
	HardwareAddr HardwareAddr
	Flags        Flags
}

var errNoInterface = errors.New("no such network interface")

func routeError(err error) error {
	return &OpError{Op: "route", Net: "ip+net", Err: err}
}

func locals() ([]pcx.Local, error) {
	all, err := pcx.Locals()
	if err != nil {
		return nil, routeError(err)
	}
	return all, nil
}

// Interfaces tells the ports that have addresses.
func Interfaces() ([]Interface, error) {
	all, err := locals()
	if err != nil {
		return nil, err
	}
	var list []Interface
	seen := make(map[int]bool)
	for _, l := range all {
		if seen[l.Port] {
			continue
		}
		seen[l.Port] = true
		list = append(list, Interface{Index: l.Port + 1, Name: fmt.Sprint(pcx.InterfaceName, l.Port), Flags: FlagUp | FlagMulticast})
	}
	return list, nil
}

func find(good func(*Interface) bool) (*Interface, error) {
	list, err := Interfaces()
	if err != nil {
		return nil, err
	}
	for i := range list {
		if good(&list[i]) {
			return &list[i], nil
		}
	}
	return nil, routeError(errNoInterface)
}

func InterfaceByIndex(index int) (*Interface, error) {
	return find(func(i *Interface) bool { return i.Index == index })
}

func InterfaceByName(name string) (*Interface, error) {
	return find(func(i *Interface) bool { return i.Name == name })
}

func ipNet(p netip.Prefix) *IPNet {
	return &IPNet{IP: net.IP(p.Addr().AsSlice()).To16(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// InterfaceAddrs tells the stack's addresses, as *IPNet.
func InterfaceAddrs() ([]Addr, error) {
	all, err := locals()
	if err != nil {
		return nil, err
	}
	var list []Addr
	for _, l := range all {
		list = append(list, ipNet(l.Prefix))
	}
	return list, nil
}

func (ifi *Interface) Addrs() ([]Addr, error) {
	if ifi == nil {
		return nil, routeError(syscall.EINVAL)
	}
	all, err := locals()
	if err != nil {
		return nil, err
	}
	var list []Addr
	for _, l := range all {
		if l.Port+1 == ifi.Index {
			list = append(list, ipNet(l.Prefix))
		}
	}
	return list, nil
}

// MulticastAddrs fails with syscall.EOPNOTSUPP: groups are not told to threads.
func (ifi *Interface) MulticastAddrs() ([]Addr, error) {
	return nil, routeError(syscall.EOPNOTSUPP)
}
