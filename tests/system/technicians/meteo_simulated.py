from homenode.kit.simulated_network import HttpDevice


class Meteo(HttpDevice):
    home = "devices: {bath: {driver: meteo, address: '127.0.0.1:PORT', every: 0.1 s, room: bathroom}}"

    def sends(self, nth):
        return b'{"temp_f": %d.5, "rh": 41}' % (60 + nth % 20)
