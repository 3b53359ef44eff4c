// SPDX-License-Identifier: BSD-2-Clause

package pcx

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"
)

// encode writes a struct sockaddr of the family; an address that is not valid stands for any, and no address at all (of a
// port neither) for none.
func encode(a netip.AddrPort, domain int) ([]byte, error) {
	if a == (netip.AddrPort{}) {
		return nil, nil
	}
	ip := a.Addr()
	if domain == syscall.AF_INET {
		name := make([]byte, syscall.SizeofSockaddrInet4)
		*(*uint16)(unsafe.Pointer(&name[0])) = syscall.AF_INET
		binary.BigEndian.PutUint16(name[2:], a.Port())
		ip = ip.Unmap()
		if ip.Is4() {
			four := ip.As4()
			copy(name[4:], four[:])
		} else if ip.IsValid() && !ip.IsUnspecified() {
			return nil, &net.AddrError{Err: "non-IPv4 address", Addr: ip.String()}
		}
		return name, nil
	}
	name := make([]byte, syscall.SizeofSockaddrInet6)
	*(*uint16)(unsafe.Pointer(&name[0])) = syscall.AF_INET6
	binary.BigEndian.PutUint16(name[2:], a.Port())
	if ip.IsValid() && !(ip.Is4() && ip.IsUnspecified()) {
		sixteen := ip.As16()
		copy(name[8:], sixteen[:])
	}
	if zone := ip.Zone(); zone != "" {
		index, err := strconv.ParseUint(trimZone(zone), 10, 32)
		if err != nil {
			return nil, &net.AddrError{Err: "unknown IPv6 zone", Addr: zone}
		}
		*(*uint32)(unsafe.Pointer(&name[24])) = uint32(index)
	}
	return name, nil
}

// Interfaces are percore0 and so on; the number of the first is 1.
const InterfaceName = "percore"

func trimZone(zone string) string {
	if len(zone) > len(InterfaceName) && zone[:len(InterfaceName)] == InterfaceName {
		if n, err := strconv.Atoi(zone[len(InterfaceName):]); err == nil {
			return strconv.Itoa(n + 1)
		}
	}
	return zone
}

func decode(name []byte) netip.AddrPort {
	port := binary.BigEndian.Uint16(name[2:])
	switch *(*uint16)(unsafe.Pointer(&name[0])) {
	case syscall.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4(*(*[4]byte)(unsafe.Pointer(&name[4]))), port)
	case syscall.AF_INET6:
		ip := netip.AddrFrom16(*(*[16]byte)(unsafe.Pointer(&name[8])))
		if index := *(*uint32)(unsafe.Pointer(&name[24])); index != 0 {
			ip = ip.WithZone(InterfaceName + strconv.Itoa(int(index)-1))
		}
		return netip.AddrPortFrom(ip, port)
	}
	return netip.AddrPort{}
}
