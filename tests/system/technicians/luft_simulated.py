from homenode.kit.simulated import MqttDevice


class Luft(MqttDevice):
    home = "devices: {co: {driver: luft, broker: 'BROKER', unit: hall, room: hall}}"
    topic = "luft/hall/state"

    def sends(self, nth):
        return b"CO=%03d;ALARM=%d;BAT=97" % (nth % 500, nth % 2)
