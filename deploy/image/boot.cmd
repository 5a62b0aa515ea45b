# What U-Boot runs, on a Pi and in QEMU alike: chooses the slot, counts the start, starts its kernel.
# The state is two records in front of the first partition (boot_state.py); the older one is overwritten.
setexpr hn_base ${kernel_addr_r} \& 0xfff00000
setexpr hn_kernel ${hn_base} + 0x4000000
setexpr kernel_comp_addr_r ${hn_base} + 0x8000000
setenv kernel_comp_size 0x4000000
setexpr hn_ram ${hn_base} + 0xc000000
setenv hn_seq_1 0
setenv hn_seq_2 0
${devtype} dev ${devnum}
for hn_n in 1 2; do
  if test ${hn_n} = 1; then setenv hn_at 0x2000; else setenv hn_at 0x3000; fi
  setenv hn_seq 0
  mw.b ${hn_ram} 0 200
  if ${devtype} read ${hn_ram} ${hn_at} 1; then env import -c ${hn_ram} 200 hn_seq; fi
  setenv hn_seq_${hn_n} ${hn_seq}
done
setenv hn_at 0x2000
setenv hn_to 0x3000
if test 0x${hn_seq_2} -gt 0x${hn_seq_1}; then
  setenv hn_at 0x3000
  setenv hn_to 0x2000
fi
setenv hn_seq 0
setenv hn_order "A B"
setenv hn_left_A 9
setenv hn_left_B 9
setenv hn_data made
if ${devtype} read ${hn_ram} ${hn_at} 1; then
  env import -c ${hn_ram} 200 hn_seq hn_order hn_left_A hn_left_B hn_data
fi
setenv hn_slot
for hn_one in ${hn_order}; do
  if test ${hn_one} = A; then setenv hn_left ${hn_left_A}; else setenv hn_left ${hn_left_B}; fi
  if test -z "${hn_slot}" -a 0x${hn_left} -gt 0; then setenv hn_slot ${hn_one}; fi
done
if test -z "${hn_slot}"; then
  # Neither would start: better to go on trying than to stand still.
  for hn_one in ${hn_order}; do
    if test -z "${hn_slot}"; then setenv hn_slot ${hn_one}; fi
  done
  setenv hn_left_A 9
  setenv hn_left_B 9
fi
if test ${hn_slot} = A; then
  setenv hn_part 2
  setexpr hn_left_A ${hn_left_A} - 1
else
  setenv hn_part 3
  setexpr hn_left_B ${hn_left_B} - 1
fi
setexpr hn_seq ${hn_seq} + 1
mw.b ${hn_ram} 0 200
env export -c -s 200 ${hn_ram} hn_data hn_left_A hn_left_B hn_order hn_seq
${devtype} write ${hn_ram} ${hn_to} 1
echo "homenode: slot ${hn_slot}, starts left A ${hn_left_A} B ${hn_left_B}"
part uuid ${devtype} ${devnum}:${hn_part} hn_root
setenv bootargs "root=PARTUUID=${hn_root} ro rauc.slot=${hn_slot} panic=10 net.ifnames=0 ${hn_args}"
if test -n "${serial#}"; then
  # The machine's id: "homenode" and the serial number.
  setenv bootargs "${bootargs} systemd.machine_id=686f6d656e6f6465${serial#}"
fi
if load ${devtype} ${devnum}:${hn_part} ${hn_kernel} /boot/kernel; then
  if load ${devtype} ${devnum}:${hn_part} ${hn_ram} /boot/initrd; then
    booti ${hn_kernel} ${hn_ram}:${filesize} ${fdt_addr}
  fi
fi
# No kernel there, or none that starts: the next start takes the other.
sleep 1
reset
