from homenode.kit.simulated_network import UdpDevice


class Mat(UdpDevice):
    home = "devices: {bed: {driver: mat, port: PORT, room: bedroom}}"

    def sends(self, nth):
        return b"BED %d" % (nth % 2)
