from homenode.kit.simulated import SerialDevice


class HeatMeter(SerialDevice):
    home = "devices: {heat: {driver: heat, port: PORT, every: 0.1 s, room: hall}}"

    def change(self):
        self._nth += 1

    def asked(self, data):
        if b"R1" in data:
            self.write(self.sends(self._nth))

    def sends(self, nth):
        return b"\x02T=+021.%02d;V=001234.%03d\x03" % (nth % 100, nth % 1000)
